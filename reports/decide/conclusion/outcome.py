"""What is decided: an engine entry, an engine of which the entry is open, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.decide.comparing.lead import Lead
from reports.decide.comparing.ranking import NOTHING_COUNTS, Candidate
from reports.decide.conclusion.blockers import blockers, within_noise
from reports.decide.evidence import Evidence

DecisionVerdict = Literal["pick", "pick engine", "only candidate", "no decision"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """verdict: `pick engine` where the adapter is settled and which of its entries is not.

    reasons: why no entry is picked. lead: what the verdict rests on, None without a leader. open: the other entries of
    a picked engine that may be as good as the leader, best first.
    """

    verdict: DecisionVerdict
    reasons: Sequence[str] = ()
    lead: Lead | None = None
    open: Sequence[Candidate] = ()

    @property
    def decided(self) -> bool:
        return self.verdict != "no decision"


def outcome(evidence: Evidence) -> Outcome:
    """The verdict by docs/decisions/0003-the-decision-rule.md."""
    if nothing := _nothing_compared(evidence):
        return Outcome("no decision", [nothing])
    lead, engine_lead = evidence.lead, evidence.engine_lead
    if lead is None:
        what = "requirement and need" if evidence.spec.needs else "requirement"
        known = " is known to meet" if evidence.not_judged else " meets"
        return Outcome("no decision", [f"no setting of any engine{known} every {what}"])
    reasons = blockers(evidence, lead)
    if not reasons:
        return Outcome("pick" if len(evidence.cells.engines) > 1 else "only candidate", lead=lead)
    if engine_lead is not None and not blockers(evidence, engine_lead):
        return Outcome("pick engine", reasons, engine_lead, _open(evidence, lead, engine_lead))
    return Outcome("no decision", reasons, lead)


def _nothing_compared(evidence: Evidence) -> str | None:
    """Why there are no figures to compare; None where there are some."""
    cells, goal = evidence.cells, evidence.objective
    if cells.candidates:
        return None if cells.mixed else NOTHING_COUNTS
    if cells.empty_filters:
        return "nothing matches any of the filters, so there is no search to compare"
    if goal.is_latency:
        return "no search with an offered rate was measured, so there are no latencies to compare"
    closed = f"no search with a closed loop was measured, so there is no {goal.noun} to compare"
    if goal.maximise and cells.has_arrivals:
        return f"{closed} (under an offered rate 'objective: min latency_p99_ms' compares engines)"
    return closed


def _open(evidence: Evidence, lead: Lead, engine_lead: Lead) -> list[Candidate]:
    """The leader's kin that it is not told apart from or that come first at times; else the best of them."""
    ranked = {rival.configuration.engine: rival for rival in lead.rivals}
    names = [*ranked, *(engine for engine in evidence.cells.engines if engine not in ranked)]
    kin = [
        candidate
        for engine in names
        if engine in engine_lead.own - lead.own
        and (candidate := ranked.get(engine) or evidence.nearest(engine)) is not None
    ]
    possible = [
        candidate
        for candidate in kin
        if within_noise(lead.margins.get(candidate.configuration.engine))
        or evidence.shares.get(candidate.configuration.engine)
    ]
    return possible or kin[:1]
