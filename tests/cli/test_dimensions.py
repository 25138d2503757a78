"""`bakeoff dimensions` as a user runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Shell
from tests.unit.models.dimensions.made import write_model

SCENARIO = {
    "name": "brief",
    "dataset": None,
    "k": 10,
    "trials": 2,
    "engines": [
        {"engine": "faiss", "label": "flat", "index": {"kind": "flat"}},
        {"engine": "bruteforce"},
    ],
    "filters": [{"name": "none"}, {"name": "own", "from_dataset": True}],
    "tasks": [{"task": "index"}, {"task": "search", "name": "throughput", "duration_s": 0.1, "warmup_s": 0}],
    "decision": {"requirements": ["recall >= 0.95"]},
}
PAGE = '<main>\n<section id="data">\n</section>\n</main>'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("dimensions")
    write_model(folder / "tiny")
    (folder / "tiny" / "report.html").write_text(PAGE)
    (folder / "brief.yaml").write_text(yaml.safe_dump(SCENARIO))
    return Shell(folder)


def test_dimensions_stand_side_by_side(made: Shell) -> None:
    command = ("dimensions", "tiny", "--dims", "2,5,16", "--scenario", "brief.yaml", "--engines", "flat")
    done = made(*command)
    assert done.returncode == 0, done.stderr
    assert "the model has 8 dimensions; left out: 16" in done.stderr
    told = json.loads((made.folder / "tiny" / "dimensions.json").read_text())
    assert told["dims"] == [2, 5, 8]
    for one in told["variants"]:
        (speed,) = one["throughput"]
        assert (speed["queries_per_s"] is None) == (one["precision"] == "int8")
        assert bool(speed["missing"]) == (one["precision"] == "int8")
    assert "the scenario has no engine labelled flat-int8" in done.stdout
    assert "float32: " in done.stdout.splitlines()[-5]
    page = (made.folder / "tiny" / "report.html").read_text("utf-8")
    assert page.count('<section id="dimensions">') == 1
    for dim, version in ((2, "1-2d"), (5, "1-5d"), (8, "1")):
        (run,) = (made.folder / "tiny" / "dimensions").glob(f"{dim}-*/run-*/result.json")
        assert json.loads(run.read_text())["dataset"]["model"]["version"] == version
    before = {run: run.read_bytes() for run in made.folder.glob("tiny/dimensions/*/run-*/samples/*")}
    again = made(*command)
    assert again.returncode == 0, again.stderr
    assert {run: run.read_bytes() for run in made.folder.glob("tiny/dimensions/*/run-*/samples/*")} == before
    assert before
    assert again.stdout == done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--dims", "8,9"), "--dims: none of 8, 9 is below the model's own 8 dimensions"),
        (("--dims", "2,x"), "must be numbers from 1 up such as 32,64, got '2,x'"),
        (("--dims", "0"), "must be numbers from 1 up"),
        (
            ("--engines", "none-such"),
            "--engines: 'none-such' is not in brief.yaml (it has: flat, bruteforce)",
        ),
        (("--tolerance", "101"), "must be a number of at least 0 and below 100"),
    ],
)
def test_wrong_options_are_named(made: Shell, options: tuple[str, ...], message: str) -> None:
    done = made("dimensions", "tiny", "--scenario", "brief.yaml", *options)
    assert done.returncode == 104
    assert message in done.stderr


def test_a_folder_without_a_model_is_named(made: Shell) -> None:
    done = made("dimensions", "nowhere", "--scenario", "brief.yaml")
    assert done.returncode == 104
    assert "nowhere: no such folder; name a folder that bakeoff train has written" in done.stderr


def test_without_a_page_the_figures_are_there(made: Shell, tmp_path: Path) -> None:
    shutil.copytree(made.folder / "tiny", tmp_path / "tiny")
    (tmp_path / "tiny" / "report.html").unlink()
    shutil.copy(made.folder / "brief.yaml", tmp_path)
    done = Shell(tmp_path)(
        "dimensions", "tiny", "--dims", "2", "--scenario", "brief.yaml", "--engines", "flat", "--trials", "1"
    )
    assert done.returncode == 0, done.stderr
    assert "report.html: is missing, so the figures are in no report" in done.stderr
    assert (tmp_path / "tiny" / "dimensions.json").exists()
