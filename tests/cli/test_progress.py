"""Progress: a line now and then where there is no terminal, and time left that follows what is done."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from harness.cli.printing.pace import Pace, about, clock
from harness.cli.printing.terminal import ProgressBar
from tests.cli.conftest import Shell


def lines_of(captured: Any) -> list[str]:
    return captured.readouterr().err.splitlines()  # type: ignore[no-any-return]


def test_without_a_terminal_a_line_now_and_then_says_what_is_done_and_how_long_it_takes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ProgressBar(line_every_s=0.05) as bar:
        bar("faiss: search", 3, 12)
        bar.expect(200)
        time.sleep(0.3)
    said = lines_of(capsys)
    assert said
    assert set(said) == {"[0:00] faiss: search, 3/12, about 3 min left"}
    time.sleep(0.1)
    assert not lines_of(capsys)  # none after the end


def test_what_is_quickly_done_writes_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as bar:
        bar("reading", 0, None)
    assert not lines_of(capsys)


def test_a_failure_ends_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), ProgressBar(line_every_s=0.02) as bar:
        bar("reading", 0, None)
        raise KeyboardInterrupt
    capsys.readouterr()
    time.sleep(0.1)
    assert not lines_of(capsys)


@pytest.mark.parametrize(
    ("left_s", "told"),
    [
        (None, ""),
        (-1, ""),
        (0, ""),
        (2, "about 10 s left"),
        (41, "about 40 s left"),
        (58, "about 1 min left"),
        (200, "about 3 min left"),
        (3 * 3600, "about 3.0 h left"),
    ],
)
def test_time_left_is_told_as_roughly_as_it_is_known(left_s: float | None, told: str) -> None:
    assert about(left_s) == told


@pytest.mark.parametrize(("seconds", "told"), [(29.9, "0:29"), (725, "12:05"), (3723, "1:02:03")])
def test_time_that_has_passed_is_shown_as_on_a_clock(seconds: float, told: str) -> None:
    assert clock(seconds) == told


def test_the_pace_so_far_tells_how_long_the_rest_takes() -> None:
    pace = Pace.begin(20, 100, now_s=0)
    assert pace.left_s(10) is None  # nothing was done yet
    pace = pace.followed_by(40, 100, now_s=10)
    assert pace.left_s(10) == 30  # 2 a second, 60 to go
    assert pace.left_s(15) == 25  # it counts down between two calls


@pytest.mark.parametrize(("done", "total"), [(10, 100), (60, 200), (60, None)])
def test_another_piece_of_work_begins_with_an_unknown_pace(done: float, total: float | None) -> None:
    pace = Pace.begin(0, 100, now_s=0).followed_by(50, 100, now_s=10)
    assert pace.left_s(10) == 10
    assert pace.followed_by(done, total, now_s=11).left_s(11) is None


def test_paths_stand_on_lines_of_their_own_whatever_the_width(finished: Any) -> None:
    shell: Shell = finished[0]
    lines = finished[1].stdout.splitlines()
    (path,) = (line.removeprefix("Report:   ") for line in lines if line.startswith("Report:   "))
    run = Path(path).parent
    assert (shell.folder / path).is_file()
    assert path == f"runs/{run.name}/report.html"
    assert f"Decision: {run}/decision.json" in lines
