"""A run is finished when every planned cell is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.registry import load
from harness.results.result import Measurement, RunResult, read_result
from harness.run.recorder import Callbacks, Recorder
from harness.run.resuming import NOT_MEASURED
from harness.run.runner import result_summary
from harness.scenario.plan import session_cells, trial_sessions
from harness.scenario.specs import Scenario

SCENARIO = Scenario.model_validate(
    {
        "name": "s",
        "dataset": "synthetic",
        "trials": 3,
        "engines": [{"engine": "bruteforce"}],
        "tasks": [{"task": "index"}, {"task": "search", "name": "closed"}, {"task": "updates"}],
    }
)
FILTERS = {"none": ["none"]}


def recorder(run: Path, scenario: Scenario = SCENARIO, callbacks: Callbacks | None = None) -> Recorder:
    result = RunResult(
        name="r", started_at="2026", environment={}, dataset={}, scenario={}, engines={"bruteforce": {}}
    )
    return Recorder(
        scenario, {"bruteforce": load("bruteforce")}, run, result, FILTERS, callbacks or Callbacks()
    )


def planned() -> list[Measurement]:
    return [
        cell
        for trial in range(SCENARIO.trials)
        for session in trial_sessions(SCENARIO, trial)
        for cell in session_cells(SCENARIO, session, FILTERS)
    ]


def test_a_run_with_every_planned_cell_is_finished(tmp_path: Path) -> None:
    recording = recorder(tmp_path)
    for cell in planned():
        recording.record(cell, None)
    recording.finish()
    recording.close()
    result = read_result(tmp_path)
    assert result.finished_at is not None
    assert result.measurements == planned()
    assert result_summary(result)["complete"]


@pytest.mark.parametrize("missing", range(9))
def test_a_run_that_lacks_a_planned_cell_is_not(tmp_path: Path, missing: int) -> None:
    recording = recorder(tmp_path)
    for number, cell in enumerate(planned()):
        if number != missing:
            recording.record(cell, None)
    recording.finish()
    recording.close()
    result = read_result(tmp_path)
    assert result.finished_at is None
    assert not result_summary(result)["complete"]
    note = result.notes[-1]
    assert note.startswith(f"{NOT_MEASURED}1 of 9 planned cells")
    assert f"task {planned()[missing].task}," in note


def test_trials_that_were_left_out_are_not_missing(tmp_path: Path) -> None:
    recording = recorder(tmp_path)
    for cell in planned()[:6]:
        recording.record(cell, None)
    recording.leave_out(lambda cell: cell.trial == 2)
    recording.finish()
    assert recording.result.finished_at is not None


def test_a_cell_is_saved_before_the_next_is_measured(tmp_path: Path) -> None:
    recording = recorder(tmp_path)
    for count, cell in enumerate(planned(), start=1):
        recording.record(cell, None)
        assert len(read_result(tmp_path).measurements) == count
    recording.note("a remark")
    assert read_result(tmp_path).notes == ["a remark"]
