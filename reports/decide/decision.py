"""The decision: which engine to pick, why, and how sure. See docs/decisions/0003-the-decision-rule.md."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from harness.results.result import RunResult
from reports.decide.checks.needs import PREFIX
from reports.decide.checks.requirements import Check
from reports.decide.comparing.lead import Lead
from reports.decide.comparing.ranking import Candidate
from reports.decide.conclusion.caveats import caveats
from reports.decide.conclusion.outcome import DecisionVerdict, Outcome, outcome
from reports.decide.conclusion.sentences import describe, engine_text, headline, margin_text
from reports.decide.evidence import Evidence, gather_evidence
from reports.decide.insights.by_filter import FilterWinner, split_sentence, winners_by_filter
from reports.decide.insights.sensitivity import Sensitivity, sensitivity
from reports.decide.parts import Choice, DecisionPart, Margin, choice_of

SCHEMA_VERSION = 1
# open: of a picked engine, an entry that may be as good as the leader.
# eliminated: it fails a requirement, or a cell of it failed. not judged: what it does not meet is too close to call, or
# was not measured for another reason. not measured: the run holds no search of it.
StandingStatus = Literal["pick", "open", "leads", "eligible", "eliminated", "not judged", "not measured"]


class EnginePick(DecisionPart):
    """An engine that is picked although which of its entries is best stays open.

    sentence: `faiss; its index type is open`. open: the entries that may be as good as the leader. runner_up, margin:
    the best entry of another adapter, None where none is eligible, and the engine against it, its entries' settings
    being chosen by other trials than they are judged by. win_share: how often one of its entries comes first.
    """

    adapter: str
    sentence: str
    open: list[Choice]
    runner_up: Choice | None
    margin: Margin | None
    win_share: float


class Standing(DecisionPart):
    """The outcome for one engine entry. choice: its best setting, or the one nearest to being eligible."""

    engine: str
    adapter: str | None
    status: StandingStatus
    choice: Choice | None
    checks: list[Check]
    win_share: float | None
    sentence: str


class Decision(DecisionPart):
    """What decision.json holds.

    leader: the best eligible setting; pick: the same, or None (no decision). picked_engine: where the engine is decided
    and its setting is not (`pick engine`); pick is then the setting to start with. requirements: every one that was
    judged, needs among them; defaults: those of them that the scenario does not name. fastest_lacking: what would lead
    but for a need. by_filter: who is best with each filter alone; split: the same in a sentence. sensitivity: what
    would make another engine lead.
    """

    schema_version: int = SCHEMA_VERSION
    run: str
    verdict: DecisionVerdict
    sentence: str
    reasons: list[str]
    caveats: list[str]
    pick: Choice | None
    picked_engine: EnginePick | None = None
    leader: Choice | None
    runner_up: Choice | None
    margin: Margin | None
    win_share: float | None
    confidence: float
    objective: str
    requirements: list[str]
    defaults: list[str] = Field(default_factory=list)
    needs: list[str] = Field(default_factory=list)
    fastest_lacking: Choice | None = None
    standings: list[Standing]
    by_filter: list[FilterWinner] = Field(default_factory=list)
    split: str = ""
    sensitivity: Sensitivity = Field(default_factory=Sensitivity)
    k: int
    dataset: dict[str, Any]


def decide(result: RunResult) -> Decision:
    """Judges a run: hard requirements first, then the objective among the settings that meet them. Pure."""
    return conclude(gather_evidence(result))


def conclude(evidence: Evidence) -> Decision:
    """The decision that follows from the evidence."""
    result = evidence.cells.result
    found = outcome(evidence)
    leader, runner_up, lacking = evidence.leader, evidence.runner_up, evidence.fastest_lacking
    choice = _choice(result, leader) if leader else None
    winners = winners_by_filter(evidence)
    return Decision(
        run=result.name,
        verdict=found.verdict,
        sentence=headline(evidence, found),
        reasons=list(found.reasons),
        caveats=caveats(evidence, found),
        pick=choice if found.decided else None,
        picked_engine=_engine_pick(evidence, found) if found.verdict == "pick engine" else None,
        leader=choice,
        runner_up=_choice(result, runner_up) if runner_up else None,
        margin=_margin(evidence, evidence.lead),
        win_share=evidence.shares.get(leader.configuration.engine) if leader else None,
        confidence=evidence.spec.confidence,
        objective=evidence.spec.objective,
        requirements=[asked.text for asked in evidence.asked]
        + [PREFIX + name for name in evidence.spec.needs],
        defaults=[asked.text for asked in evidence.asked if asked.source == "default"],
        needs=list(evidence.spec.needs),
        fastest_lacking=_choice(result, lacking) if lacking else None,
        standings=_standings(evidence, found),
        by_filter=winners,
        split=split_sentence(winners, weighed=evidence.objective.weights is not None),
        sensitivity=sensitivity(evidence),
        k=evidence.cells.k,
        dataset={
            key: result.dataset.get(key)
            for key in ("name", "metric", "dim", "rows", "fingerprint", "fields", "model")
        },
    )


def _engine_pick(evidence: Evidence, found: Outcome) -> EnginePick:
    result, lead, leader = evidence.cells.result, found.lead, evidence.ranking[0]
    assert lead is not None
    return EnginePick(
        adapter=leader.configuration.adapter,
        sentence=engine_text(leader, found.open),
        open=[_choice(result, candidate) for candidate in found.open],
        runner_up=_choice(result, lead.runner_up) if lead.runner_up else None,
        margin=_margin(evidence, lead),
        win_share=lead.share,
    )


def _choice(result: RunResult, candidate: Candidate) -> Choice:
    return choice_of(result, candidate.configuration, candidate.score, len(candidate.by_trial))


def _margin(evidence: Evidence, lead: Lead | None) -> Margin | None:
    ratio = lead.margin if lead else None
    if lead is None or ratio is None:
        return None
    sentence = margin_text(evidence, lead)
    return Margin(ratio=ratio.change, low=ratio.low, high=ratio.high, level=ratio.level, sentence=sentence)


def _standings(evidence: Evidence, found: Outcome) -> list[Standing]:
    best = {candidate.configuration.engine: candidate for candidate in evidence.ranking}
    standings = []
    others = [engine for engine in evidence.cells.engines if engine not in best]
    for engine in [*best, *others]:
        shown = best.get(engine) or evidence.nearest(engine)
        standings.append(
            Standing(
                engine=engine,
                adapter=shown.configuration.adapter if shown else None,
                status=_status(evidence, shown, found),
                choice=_choice(evidence.cells.result, shown) if shown else None,
                checks=list(shown.checks) if shown else [],
                win_share=evidence.shares.get(engine),
                sentence=describe(evidence, engine, shown),
            )
        )
    return standings


def _status(evidence: Evidence, shown: Candidate | None, found: Outcome) -> StandingStatus:
    if shown is None:
        return "not measured"
    if not shown.met:
        return "not judged" if shown.not_judged else "eliminated"
    if shown is not evidence.leader:
        return "open" if shown in found.open else "eligible"
    return "pick" if found.decided else "leads"
