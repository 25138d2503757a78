"""The samples of a run as one table: a row a request, with the cell that it belongs to."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigurationError
from harness.results.frame import canonical
from harness.results.result import Measurement, RunResult
from harness.results.samples import ERROR, OK, TIMEOUT

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_STATUS = {OK: "ok", ERROR: "error", TIMEOUT: "timeout"}
_NUMBERS = ("query", "client", "scheduled_ns", "sent_ns", "done_ns", "free_ns")


def sample_tables(result: RunResult, folder: Path) -> Iterator[pa.Table]:
    """A table a cell that has samples, all with the same columns, in the order of the run.

    `run`, `cell` (the number of its row in `cells_table`) and what the cell is; then of each request the query, the
    client, its status (ok, error, timeout), latency_ms, service_time_ms, the four times that these come from (see
    `Samples`), how many hits came back, and ids and scores of those that were kept. A file that lacks a column leaves
    it empty. folder: that of the run. Raises ConfigurationError where no cell has samples, or their file is missing
    or damaged.
    """
    found = [(number, cell, cell.samples) for number, cell in enumerate(result.measurements) if cell.samples]
    if not found:
        raise ConfigurationError(
            f"{folder}: no cell has samples; only searches and answers that were measured have some. "
            f"Leave out --samples"
        )
    for number, cell, name in found:
        yield _of_cell(result.name, number, cell, folder / name)


def _of_cell(run: str, number: int, cell: Measurement, path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return _table(run, number, cell, pq.ParquetFile(path).read())
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ConfigurationError(
            f"{path}: is missing or damaged ({str(error).splitlines()[0]}). Copy the folder of the run as a whole, or "
            f"run the scenario again"
        ) from error


def _table(run: str, number: int, cell: Measurement, held: pa.Table) -> pa.Table:
    import pyarrow as pa

    size = held.num_rows
    texts = {"run": run, "engine": cell.engine, "task": cell.task, "filter": cell.filter} | {
        part: canonical(cell.params.get(part, {})) for part in ("index", "search", "load")
    }
    columns: dict[str, Any] = {name: pa.repeat(pa.scalar(text), size) for name, text in texts.items()}
    columns["cell"] = pa.repeat(pa.scalar(number, pa.int64()), size)
    columns["trial"] = pa.repeat(pa.scalar(cell.trial, pa.int64()), size)
    kinds = {**dict.fromkeys(_NUMBERS, pa.int64()), "status": pa.int64(), "lengths": pa.int64()} | {
        "ids": pa.list_(pa.int64()),
        "scores": pa.list_(pa.float64()),
    }
    for name, kind in kinds.items():
        known = name in held.column_names
        columns[name] = held.column(name).combine_chunks().cast(kind) if known else pa.nulls(size, kind)
    return pa.table(_derived(columns))


def _derived(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns in the order in which they are shown, times in milliseconds and the status as a word among them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def since(start: str) -> Any:
        return pc.divide(pc.subtract(columns["done_ns"], columns[start]).cast(pa.float64()), 1e6)

    words = pa.array([_STATUS[number] for number in sorted(_STATUS)])
    columns["status"] = words.take(columns["status"])
    columns |= {"latency_ms": since("scheduled_ns"), "service_time_ms": since("sent_ns")}
    columns["hits"] = columns.pop("lengths")
    order = ("run", "cell", "engine", "task", "filter", "index", "search", "load", "trial", "query", "client",
             "status", "latency_ms", "service_time_ms", "scheduled_ns", "sent_ns", "done_ns", "free_ns", "hits",
             "ids", "scores")  # fmt: skip
    return {name: columns[name] for name in order}


def sample_frame(table: pa.Table) -> pd.DataFrame:
    """The same rows as a frame without lists, whose ids and scores are JSON; numbers keep every digit."""
    frame: pd.DataFrame = table.drop_columns(["ids", "scores"]).to_pandas(integer_object_nulls=True)
    for name in ("ids", "scores"):
        frame[name] = [None if row is None else json.dumps(row) for row in _rows(table, name)]
    return frame


def sample_records(table: pa.Table) -> Iterator[dict[str, Any]]:
    """The same rows as values of JSON's kinds, parameters as objects; null for what is missing."""
    parameters = (
        {name: json.loads(table.column(name)[0].as_py()) for name in ("index", "search", "load")}
        if len(table)
        else {}
    )
    lists = zip(*(_rows(table, name) for name in ("ids", "scores")), strict=True)
    for row, (ids, scores) in zip(table.drop_columns(["ids", "scores"]).to_pylist(), lists, strict=True):
        yield row | parameters | {"ids": ids, "scores": scores}


def _rows(table: pa.Table, name: str) -> Iterator[list[Any] | None]:
    """The lists of a column; a score that an engine did not give, which is held as NaN, is None."""
    for row in table.column(name).to_pylist():
        yield (
            None
            if row is None
            else [None if isinstance(v, float) and not math.isfinite(v) else v for v in row]
        )
