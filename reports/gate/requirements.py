"""Does each engine still have a setting that meets the scenario's requirements?"""

from __future__ import annotations

from harness.results.result import RunResult
from reports.decide.evidence import Evidence, gather_evidence
from reports.gate.findings import Finding, FindingVerdict


def requirement_findings(baseline: RunResult, current: RunResult) -> list[Finding]:
    """One finding an engine: does it still have a setting that meets the current scenario's requirements?

    Broken where it had one and has none now, or where no engine has one. An engine that never met them (a
    bake-off has such) does not fail the gate for it; neither does a value too close to its limit to call.
    """
    same_rules = baseline.scenario | {"decision": current.scenario.get("decision", {})}
    before, after = (
        gather_evidence(baseline.model_copy(update={"scenario": same_rules})),
        gather_evidence(current),
    )
    states = {engine: _state(after, engine) for engine in after.cells.engines}
    anyone = any(state != "fails" for state in states.values())
    findings = []
    for engine, state in states.items():
        earlier = _state(before, engine)
        verdict: FindingVerdict = "ok"
        if state == "fails":
            verdict = "broken" if earlier != "fails" or not anyone else "ok"
        elif earlier == "fails":
            verdict = "improved"
        notes = {"meets": "met", "unclear": "too close to call", "fails": _failure(after, engine)}
        note = (
            notes[state]
            if state != "fails" or earlier != "fails"
            else f"not met before either: {notes[state]}"
        )
        findings.append(Finding(engine, "", "requirements", "", "", verdict, note=note))
    return findings


def _state(evidence: Evidence, engine: str) -> str:
    own = evidence.of_engine(engine)
    if any(candidate.met for candidate in own):
        return "meets"
    return "unclear" if any(candidate.undecided for candidate in own) else "fails"


def _failure(evidence: Evidence, engine: str) -> str:
    nearest = evidence.nearest(engine)
    return "; ".join(entry.sentence for entry in nearest.failures) if nearest else "it was not measured"
