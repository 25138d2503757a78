"""A resumed run goes on with the same engines on the same machine, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import ConfigurationError
from harness.results.result import RunResult
from harness.results.writing import ResultWriter, write_result
from harness.run.resuming import NOT_MEASURED, resume
from tests.unit.example_results import build, edit, failed

LABEL = "qdrant"


def fresh(**engine: Any) -> RunResult:
    """What a run knows before it measures anything."""
    result = build(trials=1)
    engines = {label: facts | {"client": facts["version"]} for label, facts in result.engines.items()}
    engines[LABEL] |= engine
    return result.model_copy(update={"measurements": [], "engines": engines, "finished_at": None})


def earlier(**engine: Any) -> RunResult:
    server = {"version": "Server 1.2 through client 1.2.3", "server": {"run": "container"}} | engine
    result = fresh()
    engines = result.engines | {LABEL: result.engines[LABEL] | server}
    return result.model_copy(update={"engines": engines, "measurements": build(trials=1).measurements})


def test_the_same_run_goes_on_with_what_did_not_fail(tmp_path: Path) -> None:
    before = edit(earlier(), lambda cell: failed(cell, "x") if cell.engine == "milvus" else cell)
    before.notes.extend(["a note", f"{NOT_MEASURED}3 of 5 planned cells"])
    write_result(tmp_path, before)
    resumed = resume(tmp_path, fresh())
    assert resumed.measurements == [cell for cell in before.measurements if cell.engine != "milvus"]
    assert resumed.engines == before.engines
    assert resumed.notes == ["a note"]
    assert resumed.started_at == before.started_at


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    before = earlier()
    ResultWriter(tmp_path, before)
    assert resume(tmp_path, fresh()).measurements == before.measurements


def environment(**changes: Any) -> dict[str, Any]:
    return {"environment": fresh().environment | changes}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"scenario": fresh().scenario | {"k": 3}}, "its scenario is another one"),
        ({"dataset": fresh().dataset | {"fingerprint": "x"}}, "its dataset is another one"),
        (environment(fingerprint="x"), "its hardware is another one"),
        (environment(python="3.12.0"), "its Python is another version: 3.11.2 then, 3.12.0 now"),
        (
            environment(packages={"bakeoff": "0.1.0", "numpy": "2.5.0"}),
            "its numpy is another version: 2.4.0 then, 2.5.0 now",
        ),
        (environment(packages={"bakeoff": "0.1.0"}), "its numpy is another version: 2.4.0 then, none now"),
        (
            {"engines": fresh(version="2.0", client="2.0").engines},
            "its engine qdrant is another version: 1.2.3 then, 2.0 now",
        ),
        (
            {"engines": fresh().engines | {"faiss": {"version": "1"}}},
            "its engines are others: .*, milvus then, .*, milvus, faiss now",
        ),
        ({"engines": {}}, "its engines are others: .*, milvus then, none now"),
    ],
)
def test_another_version_is_refused(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    write_result(tmp_path, earlier())
    with pytest.raises(ConfigurationError, match=told) as refusal:
        resume(tmp_path, fresh().model_copy(update=changes))
    assert len(refusal.value.problems) == 1
    assert "start a new run" in str(refusal.value)


def of_model(result: RunResult, number: int | None) -> RunResult:
    model = {"name": "tower", "version": str(number), "hash": f"{number}" * 64} if number else None
    return result.model_copy(update={"dataset": result.dataset | {"model": model}})


@pytest.mark.parametrize(("then", "now"), [(1, 2), (1, None), (None, 2)])
def test_another_model_is_refused_by_name(tmp_path: Path, then: int | None, now: int | None) -> None:
    told = {1: "tower@1#111111111111", 2: "tower@2#222222222222", None: "no named model"}
    write_result(tmp_path, of_model(earlier(), then))
    with pytest.raises(ConfigurationError) as refusal:
        resume(tmp_path, of_model(fresh(), now))
    (problem,) = refusal.value.problems
    assert f"its model is another one: {told[then]} then, {told[now]} now; start a new run" in problem
    assert resume(tmp_path, of_model(fresh(), then)).measurements


def test_all_that_differs_is_told_at_once(tmp_path: Path) -> None:
    write_result(tmp_path, earlier())
    other = fresh(client="2.0").model_copy(update=environment(python="3.12.0"))
    with pytest.raises(ConfigurationError) as refusal:
        resume(tmp_path, other)
    assert len(refusal.value.problems) == 2


def test_a_result_without_fingerprints_is_refused(tmp_path: Path) -> None:
    write_result(tmp_path, earlier().model_copy(update={"environment": {}, "dataset": {}}))
    with pytest.raises(ConfigurationError, match="its hardware is another one"):
        resume(tmp_path, fresh())
