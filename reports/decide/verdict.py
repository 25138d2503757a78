"""What stands in the way of a decision, what to keep in mind beside it, and the sentences that say so."""

from __future__ import annotations

from harness.results.metrics import spec
from harness.results.result import Measurement
from reports.decide.cells import Cells
from reports.decide.ranking import Candidate, Evidence
from reports.decide.requirements import judged_groups
from reports.wording import factor, listing, number, percent, quantity, settings

_STEAL_CANNOT_EXPLAIN = 2.0  # a margin whose lower bound is this large outweighs stolen CPU time
_FLAGS = {
    "steal": "more than 5 % of the CPU time was taken by other machines",
    "contention": "other programs on this machine took more than 5 % of its CPU time",
    "client-bound": "the client, not the engine, may have been the limit",
}


def blockers(evidence: Evidence) -> list[str]:
    """Why the evidence carries no decision; empty where it does. There is a leader."""
    ranking, asked = evidence.ranking, evidence.spec.confidence
    reasons = []
    if evidence.cells.result.finished_at is None:
        reasons.append("the run is not complete, so the engines were not measured alike")
    if len(evidence.cells.engines) == 1:
        return reasons
    share = evidence.shares.get(ranking[0].configuration.engine, 0.0)
    if any(len(candidate.by_trial) < 2 for candidate in ranking[:2]):
        reasons.append("one trial does not tell a difference from noise (run at least two)")
    elif share < asked:
        reasons.append(
            f"it comes first in only {percent(share)} of the resamples ({percent(asked)} are asked for)"
        )
    if len(ranking) > 1 and evidence.margin is None:
        reasons.append("a figure of 0 leaves no margin to compute")
    if evidence.margin and evidence.margin.low is not None and evidence.margin.low <= 1:
        rival = ranking[1].configuration.title
        reasons.append(f"its lead over {rival} is within the noise (the 95 % interval includes a tie)")
    return reasons + _flag_reasons(evidence)


def _flag_reasons(evidence: Evidence) -> list[str]:
    reasons = []
    for candidate in evidence.ranking[:2]:
        for flag, cells in flagged(evidence.cells, candidate).items():
            if flag == "steal" and _outweighs_steal(evidence):
                continue
            what = _FLAGS.get(flag, f"a flag was raised ({flag})")
            reasons.append(f"in {len(cells)} of the cells behind {candidate.configuration.title} {what}")
    return reasons


def _outweighs_steal(evidence: Evidence) -> bool:
    low = evidence.margin.low if evidence.margin else None
    return low is not None and low >= _STEAL_CANNOT_EXPLAIN


def flagged(cells: Cells, candidate: Candidate) -> dict[str, list[Measurement]]:
    """The flagged cells that a candidate's score and requirements rest on, by kind of flag."""
    groups = cells.objective(candidate.configuration)
    for entry in candidate.checks:
        groups += [
            g for g in judged_groups(cells, candidate.configuration, entry.metric) if g.kind == "search"
        ]
    rested_on = {cell.key: cell for group in groups for cell in group.cells}
    found: dict[str, list[Measurement]] = {}
    for cell in rested_on.values():
        for flag in cell.flags:
            found.setdefault(flag.split(" ")[0], []).append(cell)
    return found


def caveats(evidence: Evidence, undecided: bool) -> list[str]:
    """What a careful reader should know beside the verdict."""
    leader = evidence.leader
    if leader is None:
        return []
    notes = []
    trials, several = len(leader.by_trial), len(evidence.cells.engines) > 1
    if 1 < trials <= 5 and several:
        notes.append(
            f"{trials} trials are few. Resampling them only re-arranges what was seen and understates the "
            "doubt; the margin's interval (Welch's, which allows for few trials) must exclude a tie as well."
        )
    if trials == 1 and not several:
        notes.append("There was one trial: how far its figures vary is unknown.")
    if stolen := flagged(evidence.cells, leader).get("steal"):
        weight = (
            "; the margin is too large to come from that"
            if not undecided and _outweighs_steal(evidence)
            else ""
        )
        notes.append(
            f"{len(stolen)} of the cells behind it lost over 5 % of the CPU time to other machines{weight}."
        )
    return (
        notes
        + _too_close(evidence, leader)
        + _same_adapter(evidence, undecided)
        + _unsupported(evidence, leader)
    )


def _too_close(evidence: Evidence, leader: Candidate) -> list[str]:
    close = [entry for entry in leader.checks if entry.status == "too close to call"]
    if not close:
        return []
    entry = close[0]
    text = (
        f"{entry.requirement} is too close to call: {quantity(entry.metric, entry.value)} with {entry.where}"
    )
    engine = leader.configuration.engine
    clear = [c for c in evidence.candidates if c.configuration.engine == engine and c.clearly_met]
    if clear:
        safer = max(clear, key=lambda c: evidence.objective.oriented(c.score)).configuration
        text += f". {settings(safer.index, safer.search) or safer.title} holds it clearly"
    return [f"{text}."]


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
        f"{cell.task}: {cell.error.removeprefix('unsupported: ')}"
        for cell in evidence.cells.of_engine(engine)
        if cell.error is not None and cell.error.startswith("unsupported")
    }
    return [f"{engine} does not support everything that was asked of it ({text})." for text in sorted(texts)]


def score_text(evidence: Evidence, candidate: Candidate) -> str:
    """`it answers 8,420 queries/s over an equal mix of the 4 filters`."""
    filters = len(evidence.cells.filters)
    mix = f" over an equal mix of the {filters} filters" if filters > 1 else ""
    value = quantity(evidence.objective.metric, candidate.score)
    if evidence.objective.maximise:
        return f"it answers {value}{mix}"
    return f"it takes {value} of CPU time per 1,000 queries{mix}"


def margin_text(evidence: Evidence) -> str:
    """`2.3 times as many as qdrant (95 % interval 2.1 to 2.5)`. There is a margin."""
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


def describe(evidence: Evidence, engine: str, shown: Candidate | None) -> str:
    """One sentence on how an engine came out."""
    if shown is None:
        errors = [cell.error for cell in evidence.cells.of_engine(engine) if cell.error]
        return f"{engine} was not measured: {errors[0] if errors else 'the run holds no search of it'}."
    if not shown.met:
        failures = "; ".join(_failures(shown))
        setting = settings(shown.configuration.index, shown.configuration.search)
        return f"{engine} is out: {failures}." + (f" Its nearest setting was {setting}." if setting else "")
    leader, score = evidence.leader, score_text(evidence, shown)
    if leader is None or shown is leader or not leader.score:
        return f"{engine} meets every requirement; {score}."
    behind = evidence.objective.ratio(leader.score, shown.score or 0.0)
    ahead = leader.configuration.engine
    return f"{engine} meets every requirement; {score}, a factor of {number(behind)} behind {ahead}."


def _failures(candidate: Candidate) -> list[str]:
    """What a candidate fails; requirements that are unmeasured for the same reason are named together."""
    texts = [entry.sentence for entry in candidate.failures if entry.status != "not measured"]
    gaps: dict[str, list[str]] = {}
    for entry in candidate.failures:
        if entry.status == "not measured":
            gaps.setdefault(entry.reason, []).append(spec(entry.metric).label)
    return texts + [f"{listing(names)} not measured ({reason})" for reason, names in gaps.items()]
