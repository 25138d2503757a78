"""The scenario for what a trained model writes: it has no data of its own, and takes such a folder as it is."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import yaml

from harness.results.result import read_result
from tests.cli.conftest import REPOSITORY, Shell
from tests.unit.models.publishing.shop import IDENTITY, shop


def test_without_a_dataset_it_says_how_to_name_one(tmp_path: Path) -> None:
    done = Shell(tmp_path)("run", "two-tower")
    assert done.returncode == 104
    assert (
        "dataset is left open, this scenario has none of its own; name yours, as in --dataset" in done.stderr
    )
    assert not (tmp_path / "runs").exists()


def test_it_runs_on_what_a_model_wrote(tmp_path: Path) -> None:
    """With its filters and requirements, but quicker, and on engines that build at once."""
    shop(users=40, count=400).write(tmp_path / "model" / "dataset")
    scenario = yaml.safe_load((REPOSITORY / "scenarios" / "two-tower.yaml").read_text())
    scenario["engines"] = [{"engine": "bruteforce"}, scenario["engines"][1]]
    scenario["tasks"] = [scenario["tasks"][0], scenario["tasks"][1] | {"duration_s": 0.1, "warmup_s": 0}]
    (tmp_path / "two-tower.yaml").write_text(yaml.safe_dump(scenario))
    shell = Shell(tmp_path, draws=True)
    done = shell("run", "two-tower.yaml", "--dataset", "model/dataset", "--trials", "1", "--out", "out")
    assert done.returncode == 0, done.stderr
    result = read_result(tmp_path / "out")
    assert result.dataset["model"] == asdict(IDENTITY)
    assert result.dataset["skipped"] == {}
    searches = [cell for cell in result.measurements if cell.kind == "search"]
    assert {(cell.engine, cell.filter) for cell in searches} == {
        (engine, name) for engine in ("bruteforce", "faiss-flat") for name in ("none", "own:filters")
    }
    assert all(cell.metrics["recall_at_100"] == 1.0 and cell.metrics["violations"] == 0 for cell in searches)
    assert "tower@3#0123456789ab" in (tmp_path / "out" / "report.html").read_text()
    assert json.loads((tmp_path / "out" / "decision.json").read_text())["dataset"]["model"] == asdict(
        IDENTITY
    )

    described = shell("data", "describe", "model/dataset")
    assert f"model        tower, version 3, hash {IDENTITY.hash}" in described.stdout
    other = (
        (tmp_path / "model" / "dataset" / "dataset.yaml").read_text().replace("version: '3'", "version: '4'")
    )
    (tmp_path / "model" / "dataset" / "dataset.yaml").write_text(other)
    again = shell(
        "run", "two-tower.yaml", "--dataset", "model/dataset", "--trials", "1", "--out", "out", "--resume"
    )
    assert again.returncode == 104
    assert "model is another one: tower@3#0123456789ab then, tower@4#0123456789ab now" in again.stderr
