"""Result files: written whole or not at all, read with clear refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.errors import ConfigurationError, MeasurementError
from harness.results.files import write_json
from harness.results.result import Measurement, RunResult, read_result, write_result
from harness.results.samples import OK, TIMEOUT, Samples, concatenate, write_samples
from harness.run.runner import _continue
from tests.unit.results import build

RESULT = RunResult(
    name="r",
    started_at="2026-01-01T00:00:00+00:00",
    environment={},
    dataset={},
    scenario={},
    measurements=[
        Measurement(
            engine="e", adapter="e", task="t", kind="search", metrics={"recall_at_10": 0.5, "x": None}
        )
    ],
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_result(tmp_path, RESULT)
    assert read_result(tmp_path) == RESULT
    assert read_result(tmp_path / "result.json") == RESULT
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    write_result(tmp_path, RESULT)
    before = (tmp_path / "result.json").read_bytes()
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "result.json", {"x": float("nan")})  # a NaN is never a figure
    assert (tmp_path / "result.json").read_bytes() == before
    with pytest.raises(MeasurementError, match=r"cannot be written \(Not a directory\); make its folder"):
        write_json(Path("/dev/full/x"), {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "is not JSON"),
        ("[]", "schema_version is None"),
        ('{"schema_version": 99}', "schema_version is 99"),
        ('{"schema_version": 1}', "name"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(ConfigurationError, match=expected):
        read_result(tmp_path)


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="such as runs/latest"):
        read_result(tmp_path / "nowhere")


def test_a_key_tells_cells_apart() -> None:
    cell = RESULT.measurements[0]
    changes = {"engine": "f", "task": "u", "filter": "g", "trial": 1, "params": {"search": {"ef": 1}}}
    others = [cell.model_copy(update={key: value}) for key, value in changes.items()]
    assert len({cell.key, *(other.key for other in others)}) == 6
    assert cell.model_copy(update={"metrics": {}}).key == cell.key
    json.loads(cell.key)


def samples(start: int, n: int, error: str) -> Samples:
    times = np.arange(start, start + n, dtype=np.int64) * 1000
    status = np.array([OK] * (n - 1) + [TIMEOUT], dtype=np.int64)
    ids = np.arange(n * 2, dtype=np.int64).reshape(n, 2)
    lengths = np.full(n, 2, dtype=np.int64)
    return Samples(
        times, times + 10, times + 30, np.arange(n), np.zeros(n, np.int64), status, ids, lengths, {error: 1}
    )


def test_samples_of_several_clients_are_merged_in_the_order_they_were_due(tmp_path: Path) -> None:
    merged = concatenate([samples(10, 3, "a"), samples(0, 4, "b"), samples(5, 1, "a")])
    assert len(merged) == 8
    assert (np.diff(merged.scheduled_ns) >= 0).all()
    assert merged.errors == {"a": 2, "b": 1}
    assert set(merged.latency_ns) == {30}
    assert set(merged.service_time_ns) == {20}
    assert set(merged.lateness_ns) == {10}
    write_samples(tmp_path / "s.parquet", merged)
    table = pq.read_table(tmp_path / "s.parquet")
    assert table["ids"].to_pylist() == merged.ids.tolist()
    assert table["status"].to_pylist() == merged.status.tolist()


def test_a_resumed_run_keeps_what_was_found_out_of_its_servers(tmp_path: Path) -> None:
    result = build()
    label = next(iter(result.engines))
    server = {"version": "Server 1.2 through client 3", "server": {"run": "container"}}
    known = result.model_copy(update={"engines": result.engines | {label: result.engines[label] | server}})
    write_result(tmp_path, known)
    resumed = _continue(tmp_path, result.model_copy(update={"measurements": []}))
    assert resumed.engines == known.engines
