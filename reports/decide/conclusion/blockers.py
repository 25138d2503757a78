"""What blocks a decision between entries, or one between the engines behind them."""

from __future__ import annotations

from collections import Counter
from itertools import chain

from harness.results.stats import Comparison
from reports.decide.checks.group_verdicts import LEAST_QUERIES
from reports.decide.comparing.lead import Lead
from reports.decide.comparing.ranking import Candidate
from reports.decide.conclusion.client_bound import FLAG, LIMIT, faster_than_shown
from reports.decide.evidence import Evidence
from reports.decide.groups import flag_kind
from reports.wording import listing, percent

# A margin whose lower bound is at least this large cannot be due to lost CPU time. Other programs on the machine have
# made the same engine seven times slower.
_OUTWEIGHS_LOST_TIME = {"steal": 2.0, "contention": 8.0}
LOST_TIME = {
    "steal": "more than 5 % of the CPU time was taken by other machines",
    "contention": "other programs on this machine took more than 5 % of its CPU time",
}
_FLAGS = LOST_TIME | {
    FLAG: LIMIT,
    "remembered": "queries were asked again, and the engine remembers answers",
}


def blockers(evidence: Evidence, lead: Lead) -> list[str]:
    """Why the leader, or its adapter, is not picked over those that `lead` holds it against; empty where it is."""
    ranking = evidence.ranking
    reasons = []
    if evidence.cells.result.finished_at is None:
        reasons.append("the run is not complete, so some engines were measured more often than others")
    reasons += _few_queries(evidence, ranking[0])
    if len(evidence.cells.engines) == 1:
        return reasons
    if once := [c.configuration.engine for c in ranking if len(c.by_trial) < 2]:
        what = "with one trial" if len(once) == len(ranking) else f"with one trial of {listing(once)}"
        reasons.append(f"{what} the noise is unknown (run at least two)")
        return reasons + _flag_reasons(evidence, lead)
    reasons += _margin_reasons(lead)
    asked = evidence.spec.confidence
    if lead.share < asked:
        reasons.append(
            f"it comes first in only {percent(lead.share)} of the resamples ({percent(asked)} are required)"
        )
    return reasons + _flag_reasons(evidence, lead)


def _few_queries(evidence: Evidence, leader: Candidate) -> list[str]:
    few = evidence.judge.too_few_queries(leader.configuration)
    doubted = any(
        entry.queries is not None and entry.status == "too close to call" for entry in leader.checks
    )
    if few is None or not doubted:
        return []
    return [
        f"its recall was taken from too few queries ({few[0]} with {few[1]}; at least {LEAST_QUERIES} are needed)"
    ]


def _margin_reasons(lead: Lead) -> list[str]:
    reasons = ["a figure is 0, so the margin cannot be computed"] if None in lead.margins.values() else []
    close = [c.configuration.title for c in lead.rivals if within_noise(lead.margins[c.configuration.engine])]
    if close:
        level = next(margin.level for margin in lead.margins.values() if margin)
        reasons.append(
            f"its lead over {listing(close)} is within the noise (the {level * 100:.0f} % interval includes a tie)"
        )
    return reasons


def within_noise(margin: Comparison | None) -> bool:
    """Whether an interval includes a tie."""
    return margin is not None and margin.low is not None and margin.low <= 1


def _flag_reasons(evidence: Evidence, lead: Lead) -> list[str]:
    compared = [evidence.ranking[0], *lead.rivals[:1]]
    found = {c.configuration.title: flagged(evidence, c) for c in compared}
    by_throughput = evidence.objective.maximise
    reasons = faster_than_shown(evidence, lead) if by_throughput else []
    where: dict[str, list[str]] = {}
    for title, flags in found.items():
        for flag, cells in flags.items():
            if flag in LOST_TIME and outweighs_lost_time(lead, flag):
                continue
            if flag == FLAG and (by_throughput or lead.runner_up is None):
                continue
            what = _FLAGS.get(flag, f"a flag was raised ({flag})")
            where.setdefault(what, []).append(f"{cells} of the cells behind {title}")
    return reasons + [f"in {listing(cells)} {what}" for what, cells in where.items()]


def outweighs_lost_time(lead: Lead, flag: str) -> bool:
    """Whether a margin is too large to come from lost time."""
    low = lead.margin.low if lead.margin else None
    return low is not None and low >= _OUTWEIGHS_LOST_TIME[flag]


def flagged(evidence: Evidence, candidate: Candidate) -> Counter[str]:
    """How many of the cells that a candidate's score and timed requirements rest on are flagged, by kind of flag."""
    cells, setting = evidence.cells, candidate.configuration
    place = cells.candidates.index(setting)
    numbers = dict.fromkeys(cells.objective_numbers(setting))
    for requirement in evidence.asked:
        numbers |= dict.fromkeys(int(n) for n in evidence.judge.timed_numbers(requirement, place))
    groups = (cells.groups[number] for number in numbers)
    flags = (flag for group in groups if group.kind == "search" for flag in chain.from_iterable(group.flags))
    return Counter(map(flag_kind, flags))
