"""The sentences of a decision: its headline, figures and margins, and the outcome for each engine."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from harness.results.metrics import spec
from harness.results.stats import Comparison
from reports.decide.cells import Cells
from reports.decide.checks.needs import is_need, lacking
from reports.decide.comparing.lead import Lead
from reports.decide.comparing.ranking import Candidate
from reports.decide.conclusion.blockers import within_noise
from reports.decide.conclusion.outcome import Outcome
from reports.decide.evidence import Evidence
from reports.decide.objective import Objective
from reports.wording import factor, interval, listing, number, percent, quantity, settings


def score_text(evidence: Evidence, candidate: Candidate) -> str:
    """`it answers 8,420 queries/s over an equal mix of the 4 filters`."""
    goal, cells = evidence.objective, evidence.cells
    value, mix = quantity(goal.metric, candidate.score), mix_text(cells)
    if goal.maximise:
        return f"it answers {value}{mix}{_cpu_text(evidence, candidate)}"
    if goal.is_latency:
        return f"its {spec(goal.metric).label} is {value}{rate_text(cells)}{mix}"
    return f"it takes {value} of CPU time per 1,000 queries{rate_text(cells)}{mix}"


def mix_text(cells: Cells) -> str:
    """` over an equal mix of the 4 filters`, ` with filter none`; empty where there is but one."""
    if len(cells.mixed) > 1:
        which = "an equal mix" if cells.goal.weights is None else "the scenario's mix"
        return f" over {which} of {'the ' if len(cells.mixed) == len(cells.filters) else ''}{len(cells.mixed)} filters"
    return f" with filter {cells.mixed[0]}" if len(cells.filters) > 1 else ""


def rate_text(cells: Cells) -> str:
    """` at 500 queries/s`, where a rate was offered."""
    return "" if cells.objective_rate is None else f" at {cells.objective_rate:,g} queries/s"


def _cpu_text(evidence: Evidence, candidate: Candidate) -> str:
    """What a query costs server and clients, where both are known: the clients may limit the throughput."""
    cells = evidence.cells
    groups = [group for group in cells.objective(candidate.configuration) if group.filter in cells.mixed]
    shares = cells.weighing([group.filter for group in groups])
    means = []
    for metric in ("cpu_s_per_1000", "client_cpu_s_per_1000"):
        values = [group.values(metric).values() for group in groups]
        if not all(values):
            return ""
        cost = float(np.average([fmean(own) for own in values], weights=shares))
        means.append(quantity("latency_p50_ms", cost))  # s per 1,000 queries are ms a query
    return f" (CPU time a query: {means[0]} in the server, {means[1]} in its clients)"


def margin_text(evidence: Evidence, lead: Lead) -> str:
    """`2.3 times as many as qdrant (97 % interval 2.1 to 2.5)`. There is a margin."""
    assert lead.margin is not None
    assert lead.runner_up is not None
    return ahead_text(evidence.objective, lead.margin, lead.runner_up.configuration.title)


def ahead_text(goal: Objective, ratio: Comparison, rival: str) -> str:
    """By how much a figure is better than a rival's; ratio: above 1 where it is."""
    told = interval(ratio.low, ratio.high, ratio.level, " times")
    bounds = f" ({told})" if told else ""
    value, large = factor(max(ratio.change, 1.0)), ratio.change >= 2
    if goal.maximise:
        return f"{value} {'as many as' if large else 'more than'} {rival}{bounds}"
    if goal.is_latency:
        return f"while that of {rival} is {value} {'as long' if large else 'longer'}{bounds}"
    return f"while {rival} takes {value} {'as much' if large else 'more'}{bounds}"


def headline(evidence: Evidence, outcome: Outcome) -> str:
    """The decision in a sentence or two."""
    leader, lead = evidence.leader, outcome.lead
    reasons = listing(list(outcome.reasons))
    if leader is None or lead is None:
        return f"No decision: {reasons}.{_nobody(evidence)}"
    title, score = leader.configuration.title, score_text(evidence, leader)
    before = _fastest(evidence)
    if outcome.verdict == "no decision":
        start = f"{before}no decision among those that meet every need" if before else "No decision"
        return f"{start}: {title} leads ({score}), but {reasons}."
    if outcome.verdict == "only candidate":
        return f"Only candidate: {title} meets every requirement ({score}); no other engine was measured."
    ahead = f", {margin_text(evidence, lead)}" if lead.margin else f"; {no_rival(evidence)}"
    meets = f"It meets every requirement; {score}{ahead}."
    pick = f"{before}of those that meet every need, pick" if before else "Pick"
    if outcome.verdict == "pick":
        return f"{pick} {title}. {meets}"
    engine = engine_text(leader, outcome.open)
    return f"{pick} {engine}. Start with {title}. {meets} But {reasons}."


def engine_text(leader: Candidate, others: Sequence[Candidate]) -> str:
    """`faiss; its index type is open`: an engine that is picked, and what of it is not."""
    settings_of = [candidate.configuration for candidate in (leader, *others)]
    if len({str(one.index.get("kind")) for one in settings_of}) > 1:
        what = "index type is"
    elif len({one.index_json for one in settings_of}) > 1:
        what = "index settings are"
    elif len({one.search_json for one in settings_of}) > 1:
        what = "search settings are"
    else:
        what = "way of running is"
    return f"{leader.configuration.adapter}; its {what} open"


def resamples_text(evidence: Evidence) -> str:
    """Why an interval is asked for beside the resamples."""
    if not resamples_alone_decide(evidence):
        return "Resampling so few understates the uncertainty, so the margin's interval has to exclude a tie as well."
    leader = evidence.ranking[0]
    share = evidence.shares[leader.configuration.engine]
    return (
        f"That {leader.configuration.engine} comes first in {percent(share)} of the resamples is not enough: they only "
        f"re-arrange the {len(leader.by_trial)} trials, and the margin's interval pays for how few they are."
    )


def resamples_alone_decide(evidence: Evidence) -> bool:
    """Whether a leader wins resamples enough to be picked, but is within the noise of another entry."""
    lead = evidence.lead
    if lead is None or lead.share < evidence.spec.confidence:
        return False
    return any(within_noise(margin) for margin in lead.margins.values())


def no_rival(evidence: Evidence) -> str:
    """That no engine but the leader, or its adapter, is eligible."""
    return f"no other engine {'is known to meet' if evidence.not_judged else 'meets'} every requirement"


def _fastest(evidence: Evidence) -> str:
    """`faiss is fastest (9,000 queries/s), but keeps nothing after a crash; `, where a need keeps it out."""
    first = evidence.fastest_lacking
    if first is None:
        return ""
    value = quantity(evidence.objective.metric, first.score)
    best = {"throughput": "fastest", "latency": "quickest", "cost": "cheapest"}[evidence.objective.noun]
    return f"{first.configuration.engine} is {best} ({value}), but {_lacks(first)}; "


def _nobody(evidence: Evidence) -> str:
    first = evidence.fastest_lacking
    if first is None:
        return ""
    return f" {first.configuration.engine} meets all figures, but {_lacks(first)}."


def _lacks(candidate: Candidate) -> str:
    return lacking([entry for entry in candidate.failures if is_need(entry)])


def describe(evidence: Evidence, engine: str, shown: Candidate | None) -> str:
    """One sentence on the outcome for an engine."""
    if shown is None:
        errors = [cell.error for cell in evidence.cells.of_engine(engine) if cell.error]
        return f"{engine} was not measured: {errors[0] if errors else 'the run holds no search of it'}."
    if not shown.met:
        failures = "; ".join(_failures(shown))
        setting = settings(shown.configuration.index, shown.configuration.search)
        verb = "could not be judged" if shown.not_judged else "is out"
        return f"{engine} {verb}: {failures}." + (f" Its nearest setting was {setting}." if setting else "")
    leader, score = evidence.leader, score_text(evidence, shown)
    if leader is None or shown is leader or not leader.score:
        return f"{engine} meets every requirement; {score}."
    behind = evidence.objective.ratio(leader.score, shown.score or 0.0)
    ahead = leader.configuration.engine
    return f"{engine} meets every requirement; {score}, a factor of {number(behind)} behind {ahead}."


def _failures(candidate: Candidate) -> list[str]:
    """What a candidate fails; requirements that are unmeasured for the same reason are named together."""
    failing = candidate.failures
    texts = [entry.sentence for entry in failing if entry.status != "not measured"]
    gaps: dict[str, list[str]] = {}
    for entry in failing:
        if entry.status == "not measured":
            name = entry.requirement if is_need(entry) else spec(entry.metric).label
            gaps.setdefault(entry.reason, []).append(name)
    return texts + [f"{listing(names)} not measured ({reason})" for reason, names in gaps.items()]
