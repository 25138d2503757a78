"""What blocks a decision, and what to keep in mind beside it."""

from __future__ import annotations

from collections import Counter
from itertools import chain

from harness.results.result import UNSUPPORTED
from harness.results.stats import Comparison
from reports.decide.checks.group_verdicts import LEAST_QUERIES
from reports.decide.checks.requirements import Check
from reports.decide.comparing.ranking import Candidate
from reports.decide.conclusion.client_bound import FLAG, LIMIT, at_least, faster_than_shown
from reports.decide.evidence import Evidence
from reports.decide.groups import flag_kind
from reports.wording import factor, figure, listing, percent, settings

# A margin whose lower bound is at least this large cannot be due to lost CPU time. Other programs on the machine have
# made the same engine seven times slower.
_OUTWEIGHS_LOST_TIME = {"steal": 2.0, "contention": 8.0}
_LOST_TIME = {
    "steal": "more than 5 % of the CPU time was taken by other machines",
    "contention": "other programs on this machine took more than 5 % of its CPU time",
}
_FLAGS = _LOST_TIME | {
    FLAG: LIMIT,
    "remembered": "queries were asked again, and the engine remembers answers",
}


def blockers(evidence: Evidence) -> list[str]:
    """Why no decision can be made; empty where one can. There is a leader."""
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
        return reasons + _flag_reasons(evidence)
    reasons += _margin_reasons(evidence)
    share, asked = evidence.shares.get(ranking[0].configuration.engine, 0.0), evidence.spec.confidence
    if share < asked:
        reasons.append(
            f"it comes first in only {percent(share)} of the resamples ({percent(asked)} are required)"
        )
    return reasons + _flag_reasons(evidence)


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


def _margin_reasons(evidence: Evidence) -> list[str]:
    margins = evidence.margins
    reasons = ["a figure is 0, so the margin cannot be computed"] if None in margins.values() else []
    titles = {c.configuration.engine: c.configuration.title for c in evidence.ranking}
    close = [titles[engine] for engine, margin in margins.items() if margin and not _clear(margin)]
    if close:
        level = next(margin.level for margin in margins.values() if margin)
        reasons.append(
            f"its lead over {listing(close)} is within the noise (the {level * 100:.0f} % interval includes a tie)"
        )
    return reasons


def _clear(margin: Comparison) -> bool:
    return margin.low is None or margin.low > 1


def _flag_reasons(evidence: Evidence) -> list[str]:
    found = {c.configuration.title: flagged(evidence, c) for c in evidence.ranking[:2]}
    by_throughput = evidence.objective.maximise
    reasons = faster_than_shown(evidence) if by_throughput else []
    for title, flags in found.items():
        for flag, cells in flags.items():
            if flag in _LOST_TIME and _outweighs_lost_time(evidence, flag):
                continue
            if flag == FLAG and (by_throughput or evidence.runner_up is None):
                continue
            what = _FLAGS.get(flag, f"a flag was raised ({flag})")
            reasons.append(f"in {cells} of the cells behind {title} {what}")
    return reasons


def _outweighs_lost_time(evidence: Evidence, flag: str) -> bool:
    low = evidence.margin.low if evidence.margin else None
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


def caveats(evidence: Evidence, undecided: bool) -> list[str]:
    """Caveats beside the verdict."""
    leader = evidence.leader
    if leader is None:
        return _empty_filters(evidence)
    notes = []
    trials, several = len(leader.by_trial), len(evidence.cells.engines) > 1
    if 1 < trials <= 5 and several:
        notes.append(
            f"{trials} trials are few: only margins well above the noise can be seen. Resampling so few "
            "understates the uncertainty, so the margin's interval has to exclude a tie as well."
        )
    if trials == 1 and not several:
        notes.append("There was one trial: how much the figures vary is unknown.")
    for flag, what in _LOST_TIME.items():
        if lost := flagged(evidence, leader).get(flag):
            outweighed = not undecided and _outweighs_lost_time(evidence, flag)
            weight = "; the margin is too large to come from that" if outweighed else ""
            notes.append(f"In {lost} of the cells behind it {what}{weight}.")
    return (
        notes
        + at_least(evidence)
        + _not_judged(evidence)
        + _cost_of_taking_it(evidence, undecided)
        + unsteady(evidence)
        + _too_close(evidence, leader)
        + _declared_needs(leader)
        + _same_adapter(evidence, undecided)
        + _unsupported(evidence, leader)
        + _empty_filters(evidence)
    )


def _not_judged(evidence: Evidence) -> list[str]:
    names = evidence.not_judged
    return [f"{listing(names)} could not be judged; a longer run may change the outcome."] if names else []


def _cost_of_taking_it(evidence: Evidence, undecided: bool) -> list[str]:
    """What could be lost by taking the leader although it is not shown to be the best."""
    lows = [margin.low for margin in evidence.margins.values() if margin and margin.low is not None]
    if not undecided or not lows or min(lows) > 1 or min(lows) <= 0:
        return []
    leader = evidence.ranking[0].configuration.engine
    worst, level = factor(1 / min(lows)), next(m.level for m in evidence.margins.values() if m)
    return [
        f"If you take {leader} all the same, another engine may be up to {worst} better "
        f"({level * 100:.0f} % interval)."
    ]


def unsteady(evidence: Evidence) -> list[str]:
    """The note beside a leader whose figure is that of several settings."""
    leader = evidence.leader
    if leader is None or evidence.selections[engine := leader.configuration.engine].steady:
        return []
    return [
        f"Which setting of {engine} is best differs between trials. So its figure here is not that of one setting, but "
        "what the setting chosen by the other trials reached in each trial."
    ]


def _too_close(evidence: Evidence, leader: Candidate) -> list[str]:
    close = [entry for entry in leader.checks if entry.status == "too close to call"]
    if not close:
        return []
    entry = close[0]
    text = f"{entry.requirement} is too close to call: {entry.shown} with {entry.place}{_in_brackets(entry)}"
    engine = leader.configuration.engine
    clear = [c for c in evidence.candidates if c.configuration.engine == engine and c.clearly_met]
    if clear:
        safer = max(clear, key=lambda c: evidence.objective.oriented(c.score)).configuration
        text += f". {settings(safer.index, safer.search) or safer.title} meets it clearly"
    return [f"{text}."]


def _in_brackets(entry: Check) -> str:
    parts = [entry.reason] if entry.reason else []
    if entry.queries is not None and not entry.reason:
        parts.append(f"{entry.queries:,} queries")
    if entry.low is not None and entry.high is not None:
        bounds = [figure(entry.metric, bound) for bound in (entry.low, entry.high)]
        parts.append(f"95 % interval {bounds[0]} to {bounds[1]}")
    return f" ({', '.join(parts)})" if parts else ""


def _declared_needs(leader: Candidate) -> list[str]:
    names = [entry.metric.replace("_", " ") for entry in leader.checks if entry.shown == "declared"]
    if not names:
        return []
    engine = leader.configuration.engine
    return [f"That {engine} meets these needs is declared by its adapter, not measured: {listing(names)}."]


def _same_adapter(evidence: Evidence, undecided: bool) -> list[str]:
    leader, runner_up = evidence.leader, evidence.runner_up
    if not undecided or leader is None or runner_up is None:
        return []
    adapter = leader.configuration.adapter
    if runner_up.configuration.adapter != adapter:
        return []
    mine = {c.configuration.engine for c in evidence.candidates if c.configuration.adapter == adapter}
    share = sum(evidence.shares.get(engine, 0.0) for engine in mine)
    if not share:
        return []
    return [f"Whatever its setting, {adapter} comes first in {percent(share)} of the resamples."]


def _unsupported(evidence: Evidence, leader: Candidate) -> list[str]:
    engine = leader.configuration.engine
    texts = {
        f"{cell.task}: {cell.error.removeprefix(UNSUPPORTED)}"
        for cell in evidence.cells.of_engine(engine)
        if cell.error is not None and cell.error.startswith(UNSUPPORTED)
    }
    return [f"{engine} does not support everything that was asked of it ({text})." for text in sorted(texts)]


def _empty_filters(evidence: Evidence) -> list[str]:
    names = listing(list(evidence.cells.empty_filters))
    if not names:
        return []
    return [
        f"Nothing matches filter {names}: a search that finds nothing shows nothing about an engine, so it is left out."
    ]
