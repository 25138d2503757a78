"""`bakeoff ablate` as a user runs it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Shell
from tests.cli.test_train import write

pytest.importorskip("jax", reason="training needs the extra bakeoff[models]")
pytestmark = pytest.mark.timeout(600)

CHANGES = {"same": {"towers.dim": 8}, "no-ids": {"features.min_taken": 10**9}}


@pytest.fixture(scope="module")
def ablated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, subprocess.CompletedProcess[str]]:
    shell = Shell(tmp_path_factory.mktemp("ablated"))
    (shell.folder / "plan.yaml").write_text(yaml.safe_dump(CHANGES))
    return shell, shell("ablate", write(shell.folder), "--plan", "plan.yaml")


def test_each_change_is_trained_and_compared_with_none(
    ablated: tuple[Shell, subprocess.CompletedProcess[str]],
) -> None:
    shell, done = ablated
    assert done.returncode == 0, done.stderr
    assert "same: changes nothing here, left out" in done.stderr
    assert "no-ids: best epoch " in done.stderr
    found = json.loads((shell.folder / "ablations" / "tiny" / "ablations.json").read_text())
    assert [row["name"] for row in found["rows"]] == ["as-is", "no-ids"]
    cells = {
        cell["recommender"]: cell
        for cell in found["table"]["cells"]
        if (cell["figure"], cell["k"], cell["slice"]) == ("recall", 20, "all")
    }
    assert cells["as-is"]["difference"] is None
    low, high = (cells["no-ids"]["difference"][bound] for bound in ("low", "high"))
    assert low <= cells["no-ids"]["value"] - cells["as-is"]["value"] <= high
    assert "no-ids" in done.stdout


def test_what_is_trained_is_not_trained_again(
    ablated: tuple[Shell, subprocess.CompletedProcess[str]],
) -> None:
    shell, first = ablated
    files = [shell.folder / "ablations" / "tiny" / name / "answers.npz" for name in ("as-is", "no-ids")]
    times = [file.stat().st_mtime_ns for file in files]
    again = shell("ablate", "tiny.yaml", "--plan", "plan.yaml")
    assert again.returncode == 0, again.stderr
    assert again.stdout == first.stdout
    assert [file.stat().st_mtime_ns for file in files] == times


def test_a_training_of_another_configuration_is_not_taken_for_it(
    ablated: tuple[Shell, subprocess.CompletedProcess[str]],
) -> None:
    shell, _ = ablated
    write(shell.folder, towers={"dim": 6, "hidden": 16})
    done = shell("ablate", "tiny.yaml", "--plan", "plan.yaml")
    assert done.returncode == 104
    assert "as-is was begun with another configuration.towers.dim; set it back" in done.stderr


def test_a_column_that_is_not_there_is_named_before_anything_is_trained(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    evaluation = {"k": [20], "key": "brand", "preferences": ["flavour"]}
    done = shell("ablate", write(shell.folder, evaluation=evaluation), "--only", "no-ids")
    assert done.returncode == 104
    assert "evaluation.preferences: 'flavour' is no column of categories" in done.stderr
    assert not (shell.folder / "ablations").exists()
