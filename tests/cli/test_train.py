"""`bakeoff train` as a user runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from models.data.marketplace.market import make_market
from models.data.marketplace.options import MarketplaceOptions
from models.data.marketplace.writing import write_marketplace
from tests.cli.conftest import Shell

pytest.importorskip("jax", reason="training needs the extra bakeoff[models]")
pytestmark = pytest.mark.timeout(600)

CONFIGURATION: dict[str, Any] = {
    "name": "tiny",
    "data": {"kind": "marketplace", "marketplace": {"listings": 600, "users": 400, "interactions": 4000}},
    "features": {"text_dim": 16},
    "towers": {"dim": 8, "hidden": 16},
    "training": {"epochs": 3, "batch": 64, "patience": 3},
    "evaluation": {"k": [20], "key": "brand"},
    "dataset": {"queries": 40, "filters": {"equal": ["category"], "range": ["price"]}},
}


def write(folder: Path, **changes: Any) -> str:
    (folder / "tiny.yaml").write_text(yaml.safe_dump(CONFIGURATION | changes))
    return "tiny.yaml"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, subprocess.CompletedProcess[str]]:
    shell = Shell(tmp_path_factory.mktemp("trained"))
    return shell, shell("train", write(shell.folder), env_changes={"FORCE_COLOR": "1"})


def model(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "model.json").read_text())
    return content


def test_a_model_is_trained_and_judged(
    trained: tuple[Shell, subprocess.CompletedProcess[str]],
) -> None:
    shell, done = trained
    assert done.returncode == 0, done.stderr
    for name in ("two-tower", "popularity", "co-occurrence", "blend", "text centroid"):
        assert name in done.stdout
    found = model(shell.folder / "trained" / "tiny")
    assert found["name"] == "tiny"
    assert len(found["hash"]) == 64
    assert [record["epoch"] for record in found["epochs"]] == [0, 1, 2]
    assert found["data"]["split"]["kind"] == "time"
    assert "Report: trained/tiny/report.html" in done.stdout
    page = (shell.folder / "trained" / "tiny" / "report.html").read_text("utf-8")
    assert f"{found['evaluation']['table']['cases']} test cases" in page
    cells = found["evaluation"]["table"]["cells"]
    assert {cell["recommender"] for cell in cells} >= {"two-tower", "blend"}


def test_a_log_has_a_line_an_epoch(trained: tuple[Shell, subprocess.CompletedProcess[str]]) -> None:
    """Standard error is no terminal here, whatever the environment says of colours."""
    shell, done = trained
    epochs = model(shell.folder / "trained" / "tiny")["epochs"]
    assert [line for line in done.stderr.splitlines() if line.startswith("epoch")] == [
        f"epoch {record['epoch'] + 1} of 3: loss {record['loss']:.3f}, validation recall@20 {record['recall']:.4f}, "
        f"{record['examples_per_s']:,.0f} examples/s"
        for record in epochs
    ]
    assert "\x1b" not in done.stderr


def test_engines_are_measured_on_the_model_s_users(
    trained: tuple[Shell, subprocess.CompletedProcess[str]],
) -> None:
    shell, _ = trained
    folder = "trained/tiny/dataset"
    described = shell("data", "describe", folder)
    assert described.returncode == 0, described.stderr
    assert "tiny@1#" in described.stdout
    scenario = {
        "name": "own",
        "dataset": None,
        "k": 10,
        "trials": 1,
        "engines": [{"engine": "bruteforce"}],
        "filters": [{"name": "none"}, {"name": "own", "from_dataset": True}],
        "tasks": [{"task": "index"}, {"task": "search", "name": "closed", "duration_s": 0.1, "warmup_s": 0}],
    }
    (shell.folder / "own.yaml").write_text(yaml.safe_dump(scenario))
    done = shell("run", "own.yaml", "--dataset", folder, "--out", "measured")
    assert done.returncode == 0, done.stderr
    result = json.loads((shell.folder / "measured" / "result.json").read_text())
    assert result["dataset"]["model"]["hash"] == model(shell.folder / "trained" / "tiny")["hash"]


def test_files_are_encoded_into_the_vectors_that_engines_were_measured_with(
    trained: tuple[Shell, subprocess.CompletedProcess[str]],
) -> None:
    shell, _ = trained
    market = make_market(MarketplaceOptions(**CONFIGURATION["data"]["marketplace"]))
    write_marketplace(shell.folder / "market", market)
    done = shell("encode", "trained/tiny", "--listings", "market/items.parquet", "--out", "all.parquet")
    assert done.returncode == 0, done.stderr
    encoded = pq.read_table(shell.folder / "all.parquet")
    vectors = dict(
        zip(encoded.column("item_id").to_pylist(), encoded.column("vector").to_pylist(), strict=True)
    )
    dataset = shell.folder / "trained" / "tiny" / "dataset"
    published = pq.read_table(dataset / "attributes.parquet").column("id").to_pylist()
    assert 0 < len(published) < len(vectors)  # the others had been sold
    np.testing.assert_allclose(
        [vectors[one] for one in published], np.load(dataset / "vectors.npy"), atol=1e-5
    )


def test_a_training_that_is_there_is_not_overwritten(
    trained: tuple[Shell, subprocess.CompletedProcess[str]],
) -> None:
    shell, _ = trained
    again = shell("train", "tiny.yaml")
    assert again.returncode == 104
    assert "trained/tiny holds a training already; go on with it by --resume" in again.stderr
    write(shell.folder, towers={"dim": 16, "hidden": 16})
    other = shell("train", "tiny.yaml", "--resume")
    write(shell.folder)
    assert other.returncode == 104
    assert "was begun with another configuration.towers.dim; set it back" in other.stderr


def test_an_interrupted_training_goes_on_to_the_same_model(
    trained: tuple[Shell, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    finished, _ = trained
    shell = Shell(tmp_path)
    process = shell.start("train", write(tmp_path))
    try:
        saved = tmp_path / "trained" / "tiny" / "checkpoints" / "1"
        deadline = time.monotonic() + 300
        while not saved.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
    finally:
        shell.end()
    assert process.returncode in (0, 1), err
    if process.returncode:
        assert "Go on with the same command and: --resume" in err
        assert not (tmp_path / "trained" / "tiny" / "model.json").exists()
        done = shell("train", "tiny.yaml", "--resume")
        assert done.returncode == 0, done.stderr
        told = [line[:12] for text in (err, done.stderr) for line in text.splitlines() if line[:5] == "epoch"]
        epochs = [f"epoch {number} of 3" for number in (1, 2, 3)]
        # An epoch is saved, then told; the interruption may come in between, wherever the training is by then.
        assert told in (epochs, epochs[1:], [epochs[0], epochs[2]], epochs[:2])
    ours, theirs = model(tmp_path / "trained" / "tiny"), model(finished.folder / "trained" / "tiny")
    assert ours["hash"] == theirs["hash"]
    assert ours["evaluation"] == theirs["evaluation"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"kind": "excel"}}, "data"),
        ({"colour": 1}, "colour"),
        ({"training": {"epochs": 0}}, "training.epochs"),
        ({"data": {"kind": "files", "items": "no.parquet", "interactions": "no.parquet"}}, "no.parquet"),
        ({"items": {"id": "x"}}, "items describe files of your own"),
        ({"dataset": {"filters": {"equal": ["nothing"]}}}, "dataset.filters: "),
        ({"evaluation": {"key": "nothing"}}, "evaluation.key: 'nothing' is no column of categories"),
    ],
)
def test_wrong_configurations_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    shell = Shell(tmp_path)
    done = shell("train", write(tmp_path, **changes))
    assert done.returncode == 104, done.stderr
    assert message in done.stderr
    assert not (tmp_path / "trained").exists()


def test_resuming_nothing_is_refused(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    done = shell("train", write(tmp_path), "--resume")
    assert done.returncode == 104
    assert "trained/tiny holds no training; leave --resume out" in done.stderr
