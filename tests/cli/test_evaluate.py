"""`bakeoff evaluate` as a user runs it, on a small model that no training is needed for."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.encoding.model import Model
from models.report.page import render
from tests.cli.conftest import Shell
from tests.cli.results import wait_for_cells
from tests.unit.models.encoding.folders import write_model
from tests.unit.models.publishing.shop import shop
from tests.unit.models.report.made import trained as made_up

SCENARIO: dict[str, Any] = {
    "name": "losses",
    "dataset": None,
    "k": 10,
    "engines": [
        {
            "engine": "faiss",
            "label": "ivf",
            "index": {"kind": "ivf", "nlist": 16},
            "search": {"nprobe": [1, 16], "full_scan_threshold": 0},
        },
        {"engine": "tests.cli.broken_engines:Crashing", "label": "crashing"},
    ],
    "filters": [{"name": "none"}, {"name": "own", "from_dataset": True}],
    "tasks": [{"task": "index"}],
}
COMMAND = ("evaluate", "model", "--scenario", "losses.yaml")


@pytest.fixture
def trained(tmp_path: Path) -> Shell:
    """A folder with a model of 400 listings, and 80 users whose filters let through few of them."""
    model = Model.load(write_model(tmp_path / "model"))
    shop(users=80, count=400).write(model.folder / "dataset", identity=model.identity)
    scenario(tmp_path)
    return Shell(tmp_path)


def scenario(folder: Path, **changes: Any) -> None:
    (folder / "losses.yaml").write_text(yaml.safe_dump(SCENARIO | changes))


def points(shell: Shell) -> dict[tuple[str, str, int], dict[str, Any]]:
    content = json.loads((shell.folder / "model" / "engines.json").read_text())
    return {
        (each["engine"], each["filter"], each["search"].get("nprobe")): each for each in content["points"]
    }


def test_what_users_lose_is_told_for_every_setting_and_filter(trained: Shell) -> None:
    done = trained(*COMMAND, "--engines", "ivf")
    assert done.returncode == 0, done.stderr
    assert "exact search finds" in done.stdout
    found = points(trained)
    assert set(found) == {("ivf", name, probes) for name in ("none", "own:filters") for probes in (1, 16)}
    for (_, _, probes), point in found.items():
        loss = point["loss"]
        assert (point["violations"], loss["impossible"], loss["cases"]) == (0, 0, 80)
        if probes == 16:  # all lists, so the engine is exact
            assert loss["recall"]["estimate"] == 1.0
            assert loss["hits_lost"]["change"] == 0
        else:
            assert 0.1 < loss["recall"]["estimate"] < 0.9
            assert loss["recall"]["low"] < loss["recall"]["estimate"] < loss["recall"]["high"]
        assert point["figures"]["recall"]["value"] == pytest.approx(loss["engine_hits"] / 80)
    assert "model/report.html: is missing, so the figures are in no report" in done.stderr
    content = json.loads((trained.folder / "model" / "engines.json").read_text())
    assert content["exact"]["none"]["hits"] == found["ivf", "none", 16]["loss"]["exact_hits"]


def test_a_crash_loses_nothing_of_the_others(trained: Shell) -> None:
    done = trained(*COMMAND)
    assert done.returncode == 1
    assert "engine crashing: every cell failed" in done.stderr
    assert "failed: crashing" in done.stdout
    assert len(points(trained)) == 4
    failed = json.loads((trained.folder / "model" / "engines.json").read_text())["failed"]
    assert {entry["engine"] for entry in failed} == {"crashing"}
    scenario(trained.folder, engines=[{"engine": "bruteforce"}])
    (trained.folder / "model" / "report.html").write_text(render(made_up()))
    done = trained(*COMMAND)
    assert done.returncode == 0
    assert "Report: model/report.html" in done.stdout
    page = (trained.folder / "model" / "report.html").read_text()
    assert "bruteforce loses none for sure (" in page
    assert "ivf loses " in page
    assert "of the users that engines were asked for" in page
    assert len(points(trained)) == 4 + 2  # those measured before stay
    assert points(trained)["bruteforce", "none", None]["loss"]["recall"]["estimate"] == 1.0  # type: ignore[index]


def test_an_interruption_keeps_what_was_answered_and_is_gone_on_with(trained: Shell) -> None:
    slow = {"engine": "tests.cli.broken_engines:Hanging", "label": "hanging"}
    scenario(trained.folder, engines=[SCENARIO["engines"][0], slow])
    process = trained.start(*COMMAND)
    wait_for_cells(trained.folder / "model" / "answers", 4, kind="answers")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1, told
    assert "Go on with the same command and: --resume" in told
    assert len(points(trained)) == 4
    before = (trained.folder / "model" / "answers" / "result.json").read_text()
    scenario(trained.folder)  # other engines: not what was begun
    assert "scenario is another one" in trained(*COMMAND, "--resume").stderr
    assert (trained.folder / "model" / "answers" / "result.json").read_text() == before


def test_another_model_s_dataset_is_refused(trained: Shell) -> None:
    shop(users=80, count=400).write(trained.folder / "model" / "dataset")
    done = trained(*COMMAND)
    assert done.returncode == 104
    assert "was written by tower@3#0123456789ab, and model holds made@1#" in done.stderr
    assert not (trained.folder / "model" / "engines.json").exists()


def test_wrong_input_is_named(trained: Shell) -> None:
    for arguments, told in (
        (("evaluate", "nothing"), "nothing: no such folder"),
        ((*COMMAND, "--engines", "x"), "--engines: 'x' is not in losses.yaml"),
        ((*COMMAND, "--resume"), "--resume: model/answers holds no evaluation"),
        ((*COMMAND, "--queries", "81"), "queries: 81 asked for"),
    ):
        done = trained(*arguments)
        assert done.returncode == 104
        assert told in done.stderr
