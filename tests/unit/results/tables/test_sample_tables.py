"""Samples of all cells as one table."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.errors import ConfigurationError
from harness.results.result import Measurement, RunResult
from harness.results.samples import ERROR, OK, TIMEOUT, Samples, write_samples
from harness.results.tables.formats import csv_of, json_of, parquet_of
from harness.results.tables.samples import sample_frame, sample_records, sample_tables
from tests.unit.example_results import ENGINES, build

LARGE = 2**53 + 1  # what a float would not hold


def example(folder: Path) -> RunResult:
    """Two cells with three and one samples, between cells without; the second file lacks what is optional."""
    times = np.array([0, 10, 20], dtype=np.int64) * 1_000_000 + LARGE
    full = Samples(
        scheduled_ns=times,
        sent_ns=times + 500_000,
        done_ns=times + 2_000_000,
        query=np.array([7, 8, 9]),
        client=np.zeros(3, np.int64),
        status=np.array([OK, ERROR, TIMEOUT]),
        lengths=np.array([2, 0, 0]),
        ids=np.array([[4, 5]]),
        rows=np.array([0]),
        scores=np.array([[0.5, np.nan]]),
        free_ns=times,
    )
    few = full.select(np.array([True, False, False]))
    bare = Samples(**{name: getattr(few, name) for name in ("scheduled_ns", "sent_ns", "done_ns", "query", "client",
                                                            "status", "lengths", "ids")})  # fmt: skip
    cells = build(engines={"milvus": ENGINES["milvus"]}, trials=1).measurements[:3]
    named: list[Measurement] = [cells[0]]
    for number, (cell, samples) in enumerate(zip(cells[1:], (full, bare), strict=True)):
        write_samples(folder / f"{number}.parquet", samples)
        named.append(cell.model_copy(update={"samples": f"{number}.parquet"}))
    return build(engines={}, trials=1).model_copy(update={"measurements": named})


def test_every_format_has_each_request_with_its_cell(tmp_path: Path) -> None:
    result = example(tmp_path)
    tables = list(sample_tables(result, tmp_path))
    parquet = pd.read_parquet(io.BytesIO(b"".join(parquet_of(tables))))
    csv = pd.read_csv(io.BytesIO(b"".join(csv_of(map(sample_frame, tables)))))
    records = json.loads(b"".join(json_of(row for table in tables for row in sample_records(table))))
    for frame in (parquet, csv, pd.DataFrame(records)):
        assert frame["cell"].tolist() == [1, 1, 1, 2]
        assert frame["filter"].tolist() == [result.measurements[n].filter for n in (1, 1, 1, 2)]
        assert frame["status"].tolist() == ["ok", "error", "timeout", "ok"]
        assert frame["latency_ms"].tolist() == [2.0] * 4
        assert frame["service_time_ms"].tolist() == [1.5] * 4
        assert frame["query"].tolist() == [7, 8, 9, 7]
        assert frame["scheduled_ns"][0] == LARGE
        assert frame["free_ns"].isna().tolist() == [False] * 3 + [True]
    assert records[0]["free_ns"] == LARGE
    assert str(LARGE) in b"".join(csv_of(map(sample_frame, tables))).decode()
    assert (records[0]["ids"], records[0]["scores"], records[1]["ids"]) == ([4, 5], [0.5, None], None)
    assert json.loads(csv["ids"][0]) == [4, 5]
    assert records[0]["load"]["executor"] == "closed_loop"


def test_a_cell_that_nobody_asked_anything_is_an_empty_part(tmp_path: Path) -> None:
    table = next(sample_tables(example(tmp_path), tmp_path)).slice(0, 0)
    assert list(sample_records(table)) == []
    assert len(sample_frame(table)) == 0


@pytest.mark.parametrize("damage", ["missing", "cut", "other columns", "unknown status"])
def test_a_file_of_samples_that_cannot_be_read_is_named(tmp_path: Path, damage: str) -> None:
    result = example(tmp_path)
    path = tmp_path / "1.parquet"
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        frame = pd.read_parquet(path)
        changes = {"query": "x"} if damage == "other columns" else {"status": 99}
        frame.assign(**changes).to_parquet(path)
    tables = sample_tables(result, tmp_path)
    assert next(tables).num_rows == 3  # the sound twin
    with pytest.raises(ConfigurationError, match=r"1\.parquet: is missing or damaged .*Copy the folder"):
        next(tables)


def test_a_run_without_samples_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no cell has samples"):
        next(sample_tables(build(engines={"milvus": ENGINES["milvus"]}, trials=1), tmp_path))
