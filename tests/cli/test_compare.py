"""`bakeoff compare` from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Shell

RUN = "runs/latest"


def copied(shell: Shell, place: str, **changes: Any) -> str:
    """A copy of the finished run with some parts replaced, in a folder of that name."""
    result = json.loads((shell.folder / RUN / "result.json").read_text())
    for part, change in changes.items():
        result[part] = result[part] | change if isinstance(change, dict) else change
    folder = shell.folder / place
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result))
    return place


def test_two_runs_are_shown_side_by_side(finished: Any) -> None:
    shell, _ = finished
    other = copied(shell, "moved/other", environment={"cpu": "Another CPU"})
    done = shell("compare", RUN, f"{other}/result.json", "--out", "side/by/side")
    assert done.returncode == 0, done.stderr
    folder = shell.folder / "side/by/side"
    assert {path.name for path in folder.iterdir()} == {"comparison.html", "comparison.md"}
    assert done.stdout == (folder / "comparison.md").read_text()
    assert f"| A | {(shell.folder / RUN).resolve().name} |" in done.stdout.replace("\\", "")
    assert "| B | other |" in done.stdout
    assert "Machine: cpu |" in done.stdout and "Another CPU" in done.stdout
    assert "## hnsw" in done.stdout
    assert "1 × (" in done.stdout
    assert str(Path("side/by/side/comparison.html")) in done.stderr
    assert "<svg" in (folder / "comparison.html").read_text()
    assert shell("compare", RUN, other, "--out", other).returncode == 0
    assert (shell.folder / other / "comparison.md").read_text() == done.stdout


def test_it_goes_into_a_folder_of_its_own_beside_the_runs(finished: Any) -> None:
    shell, _ = finished
    before = set((shell.folder / "runs").iterdir())
    assert shell("compare", RUN, RUN, RUN).returncode == 0
    (new,) = set((shell.folder / "runs").iterdir()) - before
    assert new.name.startswith("compare-")
    assert (new / "comparison.html").exists()


def test_folders_of_one_name_are_told_apart(finished: Any) -> None:
    shell, _ = finished
    runs = [copied(shell, f"{place}/result") for place in ("monday", "tuesday")]
    done = shell("compare", *runs, "--out", "week")
    assert "| A | monday/result |" in done.stdout
    assert "| B | tuesday/result |" in done.stdout


def test_other_data_are_said_first_and_a_run_that_is_cut_is_compared(finished: Any) -> None:
    shell, _ = finished
    whole = json.loads((shell.folder / RUN / "result.json").read_text())
    cut = copied(shell, "cut", dataset={"rows": 7}, finished_at=None, measurements=whole["measurements"][:3])
    done = shell("compare", RUN, cut, "--out", "other-data")
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("B and A have different data") < done.stdout.index("| A |")
    assert "B is not complete" in done.stdout
    assert "1 × (" not in done.stdout


def test_what_cannot_be_compared_is_refused_with_every_problem(finished: Any) -> None:
    shell, _ = finished
    done = shell("compare", RUN)
    assert done.returncode == 104
    assert "RUN" in done.stderr and "--help" in done.stderr
    done = shell("compare", RUN, "nowhere", "nothing", "--out", "none")
    assert done.returncode == 104
    assert "nowhere" in done.stderr and "nothing" in done.stderr
    (shell.folder / "a-file").write_text("")
    done = shell("compare", RUN, RUN, "--out", "a-file")
    assert done.returncode == 104
    assert "--out" in done.stderr
    assert not (shell.folder / "none").exists()
