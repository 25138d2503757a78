"""How long a run still takes: by the plan first, then by what its cells took."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.results.result import Measurement
from harness.run.recorder import Callbacks
from harness.run.time_left import TimeLeft
from tests.unit.run.test_recorder import SCENARIO, planned, recorder


def cell(engine: str, task: str) -> Measurement:
    return Measurement(
        engine=engine, adapter=engine, trial=0, task=task, kind="search", filter="none", params={}
    )


def test_what_was_measured_takes_the_place_of_the_plan() -> None:
    cells = [cell(engine, task) for engine in ("a", "b") for task in ("index", "search", "search")]
    left = TimeLeft({"search": 2.0}, now_s=100)
    left.plan(cells)
    assert left.seconds() == 4 * 2.0  # nothing is known of building
    left.done(cells[0], now_s=110)
    assert left.seconds() == 4 * 2.0 + 10  # b takes as long to build as a did
    left.done(cells[1], now_s=113)
    assert left.seconds() == 10 + 3 * 3
    left.done(cells[2], now_s=118)
    assert left.seconds() == 10 + 2 * 4  # the mean of a's
    left.done(cells[3], now_s=119)
    left.done(cells[4], now_s=120)
    assert left.seconds() == 1  # b's own, and not a's
    left.done(cells[5], now_s=121)
    assert left.seconds() == 0


def test_cells_beyond_the_plan_and_cells_off_it_take_no_time() -> None:
    left = TimeLeft({}, now_s=0)
    left.plan([cell("a", "search")])
    for second in (1, 2, 3):
        left.done(cell("a", "search"), now_s=second)
    assert left.seconds() == 0
    left.plan([])
    assert left.seconds() == 0


@pytest.mark.parametrize("budget_s", [None, 0.5])
def test_a_run_tells_its_time_left_within_its_budget(tmp_path: Path, budget_s: float | None) -> None:
    told: list[float] = []
    recording = recorder(
        tmp_path, SCENARIO.model_copy(update={"budget_s": budget_s}), Callbacks(time_left=told.append)
    )
    windows_s = 3 * (2.0 + 5 * 0.3)  # three trials of one window, its longest warm-up included
    assert told == [windows_s] if budget_s is None else 0 < told[0] <= 0.5
    for one in planned()[:6]:
        recording.record(one, None)
    assert len(told) == 7
    assert 0 < told[-1] < told[0]
    recording.leave_out(lambda one: one.trial == 2)
    assert told[-1] == 0
