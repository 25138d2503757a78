"""The decision: which engine to pick, why, and how sure. See docs/decisions/0003-the-decision-rule.md."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from harness.results.result import RunResult
from reports.decide.checks.needs import PREFIX
from reports.decide.checks.requirements import Check
from reports.decide.comparing.ranking import Candidate
from reports.decide.conclusion.sentences import describe, headline, margin_text
from reports.decide.conclusion.verdict import blockers, caveats
from reports.decide.evidence import Evidence, gather_evidence

SCHEMA_VERSION = 1
DecisionVerdict = Literal["pick", "only candidate", "no decision"]
# eliminated: it fails a requirement, or a cell of it failed. not judged: what it does not meet is too close to call, or
# was not measured for another reason. not measured: the run holds no search of it.
StandingStatus = Literal["pick", "leads", "eligible", "eliminated", "not judged", "not measured"]


class DecisionPart(BaseModel):
    """Base of the parts of decision.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(DecisionPart):
    """A configuration, complete enough to start the engine with. score: the objective, in its unit; of an engine's best
    setting by trials that did not choose it.
    """

    engine: str  # the label of the scenario's engine entry
    adapter: str  # the registry's name
    version: str | None
    index: dict[str, Any]
    search: dict[str, Any]
    title: str
    score: float | None
    trials: int


class Margin(DecisionPart):
    """The leader against the runner-up, as a ratio above 1 in its favour, with the interval that decides on a pick
    (`reports.decide.comparing.selection.compare`).
    """

    ratio: float
    low: float | None
    high: float | None
    level: float
    sentence: str


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

    leader: the best eligible setting; pick: the same, or None (no decision). requirements: every one that was judged,
    needs among them; defaults: those of them that the scenario does not name. fastest_lacking: what would lead
    but for a need.
    """

    schema_version: int = SCHEMA_VERSION
    run: str
    verdict: DecisionVerdict
    sentence: str
    reasons: list[str]
    caveats: list[str]
    pick: Choice | None
    leader: Choice | None
    runner_up: Choice | None
    margin: Margin | None
    win_share: float | None
    confidence: float
    objective: str
    requirements: list[str]
    defaults: list[str] = []
    needs: list[str] = []
    fastest_lacking: Choice | None = None
    standings: list[Standing]
    k: int
    dataset: dict[str, Any]


def decide(result: RunResult) -> Decision:
    """Judges a run: hard requirements first, then the objective among the settings that meet them. Pure."""
    return conclude(gather_evidence(result))


def conclude(evidence: Evidence) -> Decision:
    """The decision that follows from the evidence."""
    result = evidence.cells.result
    verdict, reasons = _verdict(evidence)
    leader, runner_up, lacking = evidence.leader, evidence.runner_up, evidence.fastest_lacking
    choice = _choice(result, leader) if leader else None
    return Decision(
        run=result.name,
        verdict=verdict,
        sentence=headline(evidence, verdict != "no decision", verdict == "only candidate", reasons),
        reasons=reasons,
        caveats=caveats(evidence, verdict == "no decision"),
        pick=None if verdict == "no decision" else choice,
        leader=choice,
        runner_up=_choice(result, runner_up) if runner_up else None,
        margin=_margin(evidence),
        win_share=evidence.shares.get(leader.configuration.engine) if leader else None,
        confidence=evidence.spec.confidence,
        objective=evidence.spec.objective,
        requirements=[asked.text for asked in evidence.asked]
        + [PREFIX + name for name in evidence.spec.needs],
        defaults=[asked.text for asked in evidence.asked if asked.source == "default"],
        needs=list(evidence.spec.needs),
        fastest_lacking=_choice(result, lacking) if lacking else None,
        standings=_standings(evidence, verdict),
        k=evidence.cells.k,
        dataset={
            key: result.dataset.get(key)
            for key in ("name", "metric", "dim", "rows", "fingerprint", "fields", "model")
        },
    )


def _verdict(evidence: Evidence) -> tuple[DecisionVerdict, list[str]]:
    if not evidence.cells.candidates:
        if evidence.cells.empty_filters:
            return "no decision", ["nothing matches any of the filters, so there is no search to compare"]
        return "no decision", [
            "no search with a closed loop was measured, so there is no throughput to compare"
        ]
    if not evidence.ranking:
        what = "requirement and need" if evidence.spec.needs else "requirement"
        known = " is known to meet" if evidence.not_judged else " meets"
        return "no decision", [f"no setting of any engine{known} every {what}"]
    if reasons := blockers(evidence):
        return "no decision", reasons
    return ("pick" if len(evidence.cells.engines) > 1 else "only candidate"), []


def _choice(result: RunResult, candidate: Candidate) -> Choice:
    setting = candidate.configuration
    return Choice(
        engine=setting.engine,
        adapter=setting.adapter,
        version=result.engines.get(setting.engine, {}).get("version"),
        index=setting.index,
        search=setting.search,
        title=setting.title,
        score=candidate.score,
        trials=len(candidate.by_trial),
    )


def _margin(evidence: Evidence) -> Margin | None:
    ratio = evidence.margin
    if ratio is None:
        return None
    return Margin(
        ratio=ratio.change, low=ratio.low, high=ratio.high, level=ratio.level, sentence=margin_text(evidence)
    )


def _standings(evidence: Evidence, verdict: DecisionVerdict) -> list[Standing]:
    best = {candidate.configuration.engine: candidate for candidate in evidence.ranking}
    standings = []
    others = [engine for engine in evidence.cells.engines if engine not in best]
    for engine in [*best, *others]:
        shown = best.get(engine) or evidence.nearest(engine)
        standings.append(
            Standing(
                engine=engine,
                adapter=shown.configuration.adapter if shown else None,
                status=_status(evidence, shown, verdict),
                choice=_choice(evidence.cells.result, shown) if shown else None,
                checks=list(shown.checks) if shown else [],
                win_share=evidence.shares.get(engine),
                sentence=describe(evidence, engine, shown),
            )
        )
    return standings


def _status(evidence: Evidence, shown: Candidate | None, verdict: DecisionVerdict) -> StandingStatus:
    if shown is None:
        return "not measured"
    if not shown.met:
        return "not judged" if shown.not_judged else "eliminated"
    if shown is not evidence.leader:
        return "eligible"
    return "leads" if verdict == "no decision" else "pick"
