"""The link runs/latest points at the newest run that measured something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.cli.run_folder import Latest
from harness.results.result import read_result
from tests.cli.conftest import Shell

SMALL: dict[str, Any] = {"trials": 1, "filters": [{"name": "none"}], "tasks": [{"task": "index"}]}


def test_the_link_points_at_the_newest_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert Latest(tmp_path / name).link() is None
        assert (tmp_path / "latest").readlink() == Path(name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "latest"]
    assert Latest(tmp_path / "latest").link() is None  # `--out runs/latest`
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").write_text("a file of somebody's")
    assert "is a file and no link" in str(Latest(tmp_path / "b").link())
    assert (tmp_path / "latest").read_text() == "a file of somebody's"
    assert "does not point at c: " in str(Latest(tmp_path / "nowhere" / "c").link())


def test_it_goes_back_unless_another_run_has_begun_or_the_run_was_resumed(tmp_path: Path) -> None:
    link = tmp_path / "latest"
    first = Latest(tmp_path / "a")
    first.link()
    assert first.link_back() is None
    assert not link.is_symlink()
    first.link()
    resumed, second = Latest(tmp_path / "a"), Latest(tmp_path / "b")
    resumed.link()
    assert resumed.link_back() is None
    assert link.readlink() == Path("a")
    second.link()
    assert second.link_back() == f"{link} points at a as before"
    assert link.readlink() == Path("a")
    second.link()
    Latest(tmp_path / "c").link()
    assert second.link_back() is None
    assert link.readlink() == Path("c")


def test_a_run_in_which_every_cell_failed_is_not_the_latest(shell: Shell) -> None:
    dead = [{"engine": "qdrant"}]
    nothing_listens = ("--url", "qdrant=http://127.0.0.1:9")
    assert shell("run", shell.scenario("dead", engines=dead, **SMALL), *nothing_listens).returncode == 1
    assert not (shell.folder / "runs" / "latest").is_symlink()
    both = shell.scenario("both", engines=[*dead, {"engine": "bruteforce"}], **SMALL)
    assert shell("run", both, *nothing_listens).returncode == 1
    assert read_result(shell.folder / "runs" / "latest").scenario["name"] == "both"
    done = shell("run", "dead.yaml", *nothing_listens)
    assert "error: engine qdrant: every cell failed" in done.stderr
    assert "runs/latest points at both-" in done.stderr
    assert read_result(shell.folder / "runs" / "latest").scenario["name"] == "both"


def test_nothing_but_the_error_is_told_of_data_that_are_not_there(shell: Shell) -> None:
    done = shell("run", "tiny.yaml", "--dataset", "mien")
    assert done.returncode == 104
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: dataset 'mien' is neither known")
    assert not list((shell.folder / "runs").iterdir())
    done = shell(
        "run", shell.scenario("small", engines=[{"engine": "bruteforce"}], **SMALL), "--dataset", "mine"
    )
    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["Filters", "small", "Results"]
