"""What to keep in mind beside a verdict."""

from __future__ import annotations

from harness.results.result import UNSUPPORTED
from reports.decide.checks.requirements import Check
from reports.decide.comparing.ranking import Candidate
from reports.decide.conclusion.blockers import LOST_TIME, flagged, outweighs_lost_time
from reports.decide.conclusion.client_bound import at_least
from reports.decide.conclusion.outcome import Outcome
from reports.decide.conclusion.sentences import resamples_text
from reports.decide.evidence import Evidence
from reports.wording import factor, figure, listing, percent, settings

_LEAST = 0.01  # of a margin's interval; "up to 10,000 times better" says only that too little was measured


def caveats(evidence: Evidence, outcome: Outcome) -> list[str]:
    """Caveats beside the verdict."""
    leader = evidence.leader
    if leader is None:
        return _empty_filters(evidence)
    notes = []
    trials, several = len(leader.by_trial), len(evidence.cells.engines) > 1
    if 1 < trials <= 5 and several:
        few = f"{trials} trials are few: only margins well above the noise can be seen."
        notes.append(f"{few} {resamples_text(evidence)}")
    if trials == 1 and not several:
        notes.append("There was one trial: how much the figures vary is unknown.")
    for flag, what in LOST_TIME.items():
        told = any(what in reason for reason in outcome.reasons)
        if not told and (lost := flagged(evidence, leader).get(flag)):
            outweighed = outcome.decided and outcome.lead and outweighs_lost_time(outcome.lead, flag)
            weight = "; the margin is too large to come from that" if outweighed else ""
            notes.append(f"In {lost} of the cells behind it {what}{weight}.")
    return (
        notes
        + at_least(evidence)
        + _not_judged(evidence)
        + _cost_of_taking_it(evidence, outcome)
        + unsteady(evidence)
        + _too_close(evidence, leader)
        + _declared_needs(leader)
        + _same_adapter(evidence, outcome)
        + _unsupported(evidence, leader)
        + _empty_filters(evidence)
    )


def _not_judged(evidence: Evidence) -> list[str]:
    names = evidence.not_judged
    return [f"{listing(names)} could not be judged; a longer run may change the outcome."] if names else []


def _cost_of_taking_it(evidence: Evidence, outcome: Outcome) -> list[str]:
    """What could be lost by taking the leader although it is not shown to be the best."""
    lead = evidence.lead
    if lead is None or not outcome.reasons:
        return []
    engines = [c.configuration.engine for c in outcome.open] if outcome.decided else list(lead.margins)
    margins = [margin for engine in engines if (margin := lead.margins.get(engine)) is not None]
    lows = [margin.low for margin in margins if margin.low is not None]
    if not lows or not _LEAST <= min(lows) <= 1:
        return []
    leader = evidence.ranking[0].configuration
    take = f"start with {leader.engine}" if outcome.decided else f"take {leader.engine} all the same"
    other = f"another entry of {leader.adapter}" if outcome.decided else "another engine"
    worst, level = factor(1 / min(lows)), margins[0].level
    return [f"If you {take}, {other} may be up to {worst} better ({level * 100:.0f} % interval)."]


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


def _same_adapter(evidence: Evidence, outcome: Outcome) -> list[str]:
    leader, runner_up = evidence.leader, evidence.runner_up
    if outcome.decided or leader is None or runner_up is None:
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
