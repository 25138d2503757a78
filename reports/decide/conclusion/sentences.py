"""The sentences of a decision: its headline, figures and margins, and the outcome for each engine."""

from __future__ import annotations

from statistics import fmean

from harness.results.metrics import spec
from reports.decide.checks.needs import is_need, lacking
from reports.decide.comparing.ranking import Candidate
from reports.decide.evidence import Evidence
from reports.wording import factor, listing, number, quantity, settings


def score_text(evidence: Evidence, candidate: Candidate) -> str:
    """`it answers 8,420 queries/s over an equal mix of the 4 filters`."""
    filters = len(evidence.cells.filters)
    mix = f" over an equal mix of the {filters} filters" if filters > 1 else ""
    value = quantity(evidence.objective.metric, candidate.score)
    if evidence.objective.maximise:
        return f"it answers {value}{mix}{_cpu_text(evidence, candidate)}"
    return f"it takes {value} of CPU time per 1,000 queries{mix}"


def _cpu_text(evidence: Evidence, candidate: Candidate) -> str:
    """What a query costs server and clients, where both are known: the clients may limit the throughput."""
    groups = evidence.cells.objective(candidate.configuration)
    means = []
    for metric in ("cpu_s_per_1000", "client_cpu_s_per_1000"):
        values = [value for group in groups for value in group.values(metric).values()]
        if not values:
            return ""
        means.append(quantity("latency_p50_ms", fmean(values)))  # s per 1,000 queries are ms a query
    return f" (CPU time a query: {means[0]} in the server, {means[1]} in its clients)"


def margin_text(evidence: Evidence) -> str:
    """`2.3 times as many as qdrant (97 % interval 2.1 to 2.5)`. There is a margin."""
    ratio, runner_up = evidence.margin, evidence.runner_up
    assert ratio is not None
    assert runner_up is not None
    bounds = ""
    if ratio.low is not None and ratio.high is not None:
        bounds = f" ({ratio.level * 100:.0f} % interval {number(ratio.low)} to {number(ratio.high)} times)"
    value, rival = factor(max(ratio.change, 1.0)), runner_up.configuration.title
    large = ratio.change >= 2
    if evidence.objective.maximise:
        return f"{value} {'as many as' if large else 'more than'} {rival}{bounds}"
    return f"while {rival} takes {value} {'as much' if large else 'more'}{bounds}"


def headline(evidence: Evidence, decided: bool, only: bool, reasons: list[str]) -> str:
    """The decision in a sentence or two."""
    leader = evidence.leader
    if leader is None:
        return f"No decision: {listing(reasons)}.{_nobody(evidence)}"
    title, score = leader.configuration.title, score_text(evidence, leader)
    before = _fastest(evidence)
    if not decided:
        start = f"{before}no decision among those that meet every need" if before else "No decision"
        return f"{start}: {title} leads ({score}), but {listing(reasons)}."
    if only:
        return f"Only candidate: {title} meets every requirement ({score}); no other engine was measured."
    lead = margin_text(evidence) if evidence.margin else no_rival(evidence)
    pick = f"{before}of those that meet every need, pick" if before else "Pick"
    joined = ", " if evidence.margin else "; "
    return f"{pick} {title}. It meets every requirement; {score}{joined}{lead}."


def no_rival(evidence: Evidence) -> str:
    """That no engine but the leader is eligible."""
    return f"no other engine {'is known to meet' if evidence.not_judged else 'meets'} every requirement"


def _fastest(evidence: Evidence) -> str:
    """`faiss is fastest (9,000 queries/s), but keeps nothing after a crash; `, where a need keeps it out."""
    first = evidence.fastest_lacking
    if first is None:
        return ""
    value = quantity(evidence.objective.metric, first.score)
    best = "fastest" if evidence.objective.maximise else "cheapest"
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
