"""Cells as a flat table, and the formats it is written in."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest

from harness.results.result import Measurement
from harness.results.tables.cells import cell_records, cells_arrow, cells_table
from harness.results.tables.formats import csv_of, json_of, parquet_of
from tests.unit.example_results import ENGINES, build, edit, failed, with_metrics


def marked(cell: Measurement) -> Measurement:
    if cell.kind == "updates":
        return failed(cell, 'said "no",\nand again')
    if cell.kind == "index":
        return cell.model_copy(update={"flags": ["steal 7 %", "contention 9 %"]})
    return with_metrics(cell, latency_p999_ms=None, reasons={"latency_p999_ms": "too few"})


RESULT = edit(build(engines={name: ENGINES[name] for name in ("faiss-hnsw", "milvus")}, trials=2), marked)


def test_a_row_a_cell_with_its_number_version_flags_and_reasons() -> None:
    table = cells_table(RESULT)
    assert list(table.columns[:5]) == ["run", "cell", "engine", "adapter", "version"]
    assert table.columns[-1] == "missing"
    assert table["cell"].tolist() == list(range(len(RESULT.measurements)))
    assert set(table["version"]) == {"1.2.3"}
    first = table.iloc[0]
    assert first["flags"] == "steal 7 %; contention 9 %"
    search = table[table["kind"] == "search"].iloc[0]
    assert "latency_p999_ms: too few" in search["missing"]
    assert json.loads(search["search"]) == {"efSearch": 16}
    assert search["throughput_qps"] == RESULT.measurements[1].metrics["throughput_qps"]


def test_an_engine_whose_version_is_not_known_has_none() -> None:
    result = RESULT.model_copy(update={"engines": {"milvus": {}}})
    assert cells_table(result)["version"].isna().all()
    assert cells_arrow(result).schema.field("version").type == "string"


def test_every_format_holds_the_same_figures() -> None:
    table = cells_table(RESULT)
    csv = pd.read_csv(
        io.BytesIO(b"".join(csv_of([table.head(3), table.tail(-3)]))), keep_default_na=False, na_values=[""]
    )
    parquet = pd.read_parquet(io.BytesIO(b"".join(parquet_of([cells_arrow(RESULT)]))))
    records = json.loads(b"".join(json_of(cell_records(RESULT))))
    for metric in ("throughput_qps", "rss_peak_bytes", "latency_p999_ms"):
        expected = [cell.metrics.get(metric) for cell in RESULT.measurements]
        assert [row.get(metric) for row in records] == expected
        for frame in (csv, parquet):
            assert [None if pd.isna(value) else value for value in frame[metric]] == expected
    for frame in (csv, parquet):
        assert [None if pd.isna(text) else text for text in frame["error"]] == [
            c.error for c in RESULT.measurements
        ]
    assert records[0]["flags"] == ["steal 7 %", "contention 9 %"]
    assert records[1]["index"] == {"kind": "hnsw", "M": 16}
    assert records[1]["missing"]["latency_p999_ms"] == "too few"


def test_a_parquet_file_of_several_tables_is_whole_part_by_part() -> None:
    table = cells_arrow(RESULT)
    parts = list(parquet_of([table, table]))
    assert len(parts) == 3
    assert len(pd.read_parquet(io.BytesIO(b"".join(parts)))) == 2 * len(table)
    with pytest.raises(ValueError, match="Parquet"):
        pd.read_parquet(io.BytesIO(b"".join(parts[:-1])))  # the end is what makes it whole


def test_a_run_without_cells_is_a_table_without_rows() -> None:
    empty = RESULT.model_copy(update={"measurements": []})
    assert list(cells_table(empty).columns[:2]) == ["run", "cell"]
    assert json.loads(b"".join(json_of(cell_records(empty)))) == []
    assert len(pd.read_parquet(io.BytesIO(b"".join(parquet_of([cells_arrow(empty)]))))) == 0
