"""What `quick` needs of an engine: nothing acknowledged is lost. And an engine that fails beside the measurement harms
neither the run nor the others.
"""

from __future__ import annotations

import pytest
import yaml

from harness.results.result import RunResult, read_result
from reports.decide.decision import decide
from tests.cli.conftest import REPOSITORY, Shell
from tests.faults.test_faults import write_data

LONGEST_S, CLOSE_S = 300, 20
pytestmark = pytest.mark.timeout(LONGEST_S + 60)
LOSING = ["LastWriteLost", "DeletesNotKept", "UpdatesNotKept", "OpensEmpty", "AttributesNotKept"]
FAILING = {"FailsToClose": "cannot be closed", "HangsWhenClosed": "did not close within"}
SOUND = ["Kept"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """All in one run of the tasks, needs and requirements of `quick`, one trial, short windows."""
    folder = tmp_path_factory.mktemp("durable")
    write_data(folder / "mine")
    scenario = yaml.safe_load((REPOSITORY / "scenarios" / "quick.yaml").read_text())
    for key in ("rows", "queries", "budget_s"):
        del scenario[key]
    for task in scenario["tasks"]:
        if task["task"] == "search":
            task["duration_s"] = 0.1
    scenario |= {
        "dataset": "mine",
        "trials": 1,
        "cell_timeout_s": CLOSE_S,
        "engines": [{"engine": f"tests.faults.durable:{name}"} for name in [*SOUND, *LOSING, *FAILING]],
        "filters": [{"name": "10pct", "selectivity": 0.1}],
    }
    (folder / "quick.yaml").write_text(yaml.safe_dump(scenario))
    process = Shell(folder).start("run", "quick.yaml", "--out", "out")
    _, err = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 0, err
    return read_result(folder / "out")


def standing(run: RunResult, engine: str) -> str:
    (found,) = [one for one in decide(run).standings if one.engine == engine]
    return found.status


@pytest.mark.parametrize("engine", LOSING)
def test_an_engine_that_loses_acknowledged_writes_is_out(run: RunResult, engine: str) -> None:
    (cell,) = [cell for cell in run.measurements if cell.engine == engine and cell.task == "durability"]
    assert cell.metrics["killed_lost"] or cell.metrics["reopened_lost"], cell
    assert standing(run, engine) == "eliminated"


@pytest.mark.parametrize("engine", SOUND)
def test_one_that_keeps_everything_is_not(run: RunResult, engine: str) -> None:
    cells = [cell for cell in run.measurements if cell.engine == engine]
    assert [cell.error for cell in cells] == [None] * len(cells)
    (cell,) = [cell for cell in cells if cell.task == "durability"]
    assert (cell.metrics["killed_lost"], cell.metrics["reopened_lost"]) == (0, 0)
    assert standing(run, engine) in ("leads", "eligible", "pick")


@pytest.mark.parametrize(("engine", "text"), list(FAILING.items()))
def test_an_engine_that_fails_after_its_last_cell_is_named(run: RunResult, engine: str, text: str) -> None:
    assert any(engine in note and text in note for note in run.notes), run.notes
