"""Tasks in whatever order a scenario names them, and what is left of acknowledged writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.results.result import Measurement, RunResult, read_result
from tests.cli.conftest import Shell

UPDATES = {"task": "updates", "upserts": 40, "deletes": 40}
SEARCH = {"task": "search", "name": "closed", "duration_s": 0.1, "warmup_s": 0}
FILTERS = [{"name": "none"}, {"name": "brand", "keyword": "brand"}]


def run(
    shell: Shell, engines: list[str], tasks: list[dict[str, Any]], expected: int = 0, **more: Any
) -> RunResult:
    specs = [{"engine": f"tests.cli.task_engines:{name}" if name[0].isupper() else name} for name in engines]
    scenario = shell.scenario("order", engines=specs, tasks=tasks, filters=FILTERS, trials=1, **more)
    done = shell("run", scenario, "--out", "out")
    assert done.returncode == expected, done.stdout + done.stderr
    return read_result(shell.folder / "out")


def cells(result: RunResult, kind: str, engine: str | None = None) -> list[Measurement]:
    return [cell for cell in result.measurements if cell.kind == kind and engine in (None, cell.engine)]


def test_a_search_after_updates_is_judged_by_what_is_there_then(shell: Shell) -> None:
    tasks = [{"task": "index"}, UPDATES, UPDATES | {"name": "again"}, SEARCH]
    result = run(shell, ["bruteforce"], tasks)
    assert [cell.error for cell in result.measurements] == [None] * len(result.measurements)
    assert [cell.task for cell in cells(result, "updates")] == ["updates", "again"]
    for cell in cells(result, "updates") + cells(result, "search"):
        assert cell.metrics["recall_at_5"] == 1.0
        assert cell.metrics["violations"] == cell.metrics["ghosts"] == 0


def test_what_was_asked_before_updates_is_asked_again_after_them(shell: Shell) -> None:
    result = run(shell, ["AnswersKept", "bruteforce"], [{"task": "index"}, SEARCH, UPDATES])
    stale, fresh = cells(result, "updates", "AnswersKept")[0], cells(result, "updates", "bruteforce")[0]
    assert fresh.metrics["recall_at_5"] == 1.0
    assert fresh.metrics["ghosts"] == 0
    assert stale.metrics["recall_at_5"] < 0.95  # type: ignore[operator]
    assert stale.metrics["ghosts"]


def test_a_resumed_search_finds_the_updates_before_it_made_again(shell: Shell) -> None:
    tasks = [{"task": "index"}, UPDATES, SEARCH]
    result = run(shell, ["bruteforce"], tasks)
    kept = [cell for cell in result.measurements if cell.filter != "brand"]
    path = Path(shell.folder / "out" / "result.json")
    path.write_text(result.model_copy(update={"measurements": kept, "finished_at": None}).model_dump_json())
    done = shell("run", "order.yaml", "--out", "out", "--resume")
    assert done.returncode == 0, done.stderr
    resumed = read_result(shell.folder / "out")
    assert len(resumed.measurements) == len(result.measurements)
    assert len(cells(resumed, "updates")) == 1
    assert [cell.metrics["recall_at_5"] for cell in cells(resumed, "search")] == [1.0, 1.0]


def test_a_second_index_task_is_refused(shell: Shell) -> None:
    tasks = [{"task": "index"}, {"task": "index", "name": "small", "batch_size": 10}, SEARCH]
    done = shell("run", shell.scenario("twice", tasks=tasks))
    assert done.returncode == 104
    assert "'small' would build the index a second time" in done.stderr


@pytest.mark.parametrize(
    ("engine", "reopened", "killed"),
    [("Kept", 0, 0), ("WrittenOnClose", 0, 60), ("LastBatchLost", 24, 0)],
)
def test_acknowledged_writes_that_are_lost_are_counted(
    shell: Shell, engine: str, reopened: int, killed: int
) -> None:
    durability = {"task": "durability", "items": 60, "batch_size": 20}
    (cell,) = cells(run(shell, [engine], [{"task": "index"}, SEARCH, durability]), "durability")
    assert cell.error is None
    assert cell.metrics["acknowledged"] == 60
    assert (cell.metrics["reopened_lost"], cell.metrics["killed_lost"]) == (reopened, killed)


def test_an_engine_that_keeps_nothing_does_not_support_durability(shell: Shell) -> None:
    (cell,) = cells(
        run(shell, ["bruteforce"], [{"task": "index"}, SEARCH, {"task": "durability"}]), "durability"
    )
    assert cell.error == "unsupported: it keeps nothing: what it holds ends with its process"
