"""The gate: may this run replace that baseline? Pure; the renderers are in gate_render."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from harness.errors import ConfigurationError
from harness.results.result import RunResult
from reports.decide.evidence import Evidence, weigh
from reports.gate.cells import matched_rows, tolerances
from reports.gate.render import to_junit, to_markdown, to_text
from reports.gate.rows import RECALL_TOLERANCE, GateReport, Row, Verdict

__all__ = ["GateReport", "compare", "to_junit", "to_markdown", "to_text"]

# What of a scenario decides which work a cell does. Trials, time limits and the decision may differ.
_SCENARIO_KEYS = ("name", "dataset", "rows", "queries", "k", "seed", "filters", "tasks")


def compare(
    baseline: RunResult,
    current: RunResult,
    *,
    tolerance: Mapping[str, float] | float = 0.1,
    force: bool | Collection[str] = False,
) -> GateReport:
    """Compares two runs cell by cell, and the current one with the scenario's requirements.

    tolerance: the loss accepted, as a share (0.1: 10 %), for all metrics or by metric name with `default` for
    the rest. Recall's is absolute and 0.01 at most unless it is named. force: compare although the runs'
    `scenario`, `dataset` or `hardware` differ (True: whichever). Raises ConfigurationError where they do.
    """
    differences = _differences(baseline, current)
    allowed = set(differences) if force is True else set(force or ())
    if refused := {name: text for name, text in differences.items() if name not in allowed}:
        raise ConfigurationError(
            [
                f"{current.name}: its {name} is not that of {baseline.name} ({text}). "
                f"Compare runs of the same {name}, or add --force {name}"
                for name, text in refused.items()
            ]
        )
    accepted = tolerances(tolerance, RECALL_TOLERANCE)
    rows = _requirement_rows(baseline, current) + matched_rows(baseline, current, accepted)
    return GateReport(
        baseline=baseline.name,
        current=current.name,
        rows=tuple(rows),
        forced=tuple(f"{name}: {text}" for name, text in differences.items()),
        notes=tuple(_notes(baseline, current)),
    )


def _differences(baseline: RunResult, current: RunResult) -> dict[str, str]:
    found = {}
    keys = [key for key in _SCENARIO_KEYS if baseline.scenario.get(key) != current.scenario.get(key)]
    if keys:
        found["scenario"] = ", ".join(f"{key} differs" for key in keys)
    for name, before, after in (
        ("dataset", baseline.dataset, current.dataset),
        ("hardware", baseline.environment, current.environment),
    ):
        marks = before.get("fingerprint"), after.get("fingerprint")
        if marks[0] != marks[1]:
            label = "name" if name == "dataset" else "cpu"
            names = before.get(label), after.get(label)
            shown = names if names[0] != names[1] else marks
            found[name] = f"{shown[0]} became {shown[1]}"
    return found


def _notes(baseline: RunResult, current: RunResult) -> list[str]:
    notes = []
    for run in (baseline, current):
        if len({cell.trial for cell in run.measurements}) < 2:
            notes.append(
                f"{run.name} has a single trial, so its noise is unknown: no change of a timing can fail the "
                "gate, only requirements, counts and missing cells can. Run at least two trials."
            )
        if run.finished_at is None:
            notes.append(f"{run.name} is not complete; what it lacks counts as missing.")
    return notes


def _requirement_rows(baseline: RunResult, current: RunResult) -> list[Row]:
    """One row an engine: does it still have a setting that meets the current scenario's requirements?

    Broken where it had one and has none now, or where no engine has one. An engine that never met them (a
    bake-off has such) does not fail the gate for it; neither does a value too close to its limit to call.
    """
    same_rules = baseline.scenario | {"decision": current.scenario.get("decision", {})}
    before, after = weigh(baseline.model_copy(update={"scenario": same_rules})), weigh(current)
    states = {engine: _state(after, engine) for engine in after.cells.engines}
    anyone = any(state != "fails" for state in states.values())
    rows = []
    for engine, state in states.items():
        earlier = _state(before, engine)
        verdict: Verdict = "ok"
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
        rows.append(Row(engine, "", "requirements", "", "", verdict, note=note))
    return rows


def _state(evidence: Evidence, engine: str) -> str:
    own = evidence.of_engine(engine)
    if any(candidate.met for candidate in own):
        return "meets"
    close = [
        c for c in own if c.score is not None and all(e.status == "too close to call" for e in c.failures)
    ]
    return "unclear" if close else "fails"


def _failure(evidence: Evidence, engine: str) -> str:
    nearest = evidence.nearest(engine)
    return "; ".join(entry.sentence for entry in nearest.failures) if nearest else "it was not measured"
