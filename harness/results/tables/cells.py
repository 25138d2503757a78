"""The cells of a run as a flat table: the rows of cells.csv and of `bakeoff results`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from harness.results.frame import cells_frame
from harness.results.result import RunResult

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def cells_table(result: RunResult, frame: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row a cell in the order of the run, all columns flat.

    `run` and `cell` (its number, from 0), then the columns of `cells_frame` with the engine's `version` behind its
    adapter, then `missing`: why metrics are missing. index, search and load are JSON; flags and missing are one text
    each. frame: that of the run, where it is known already.
    """
    cells = result.measurements
    table = cells_frame(cells) if frame is None else frame.copy()
    table["flags"] = ["; ".join(cell.flags) for cell in cells]
    table["missing"] = [
        "; ".join(f"{metric}: {reason}" for metric, reason in cell.reasons.items()) for cell in cells
    ]
    versions = [(result.engines.get(cell.engine) or {}).get("version") for cell in cells]
    texts = [None if version is None else str(version) for version in versions]
    table.insert(list(table.columns).index("adapter") + 1, "version", texts)
    table.insert(0, "run", result.name)
    table.insert(1, "cell", range(len(cells)))
    return table


def cell_records(result: RunResult) -> Iterator[dict[str, Any]]:
    """The same rows as values of JSON's kinds: parameters and reasons as objects, flags as a list, null for missing."""
    table = cells_table(result).astype(object)
    rows: list[dict[Any, Any]] = table.where(table.notna(), None).to_dict("records")
    for row, cell in zip(rows, result.measurements, strict=True):
        parts = {name: json.loads(row[name]) for name in ("index", "search", "load")}
        yield row | parts | {"flags": list(cell.flags), "missing": dict(cell.reasons)}


def cells_arrow(result: RunResult) -> pa.Table:
    """The same rows as an Arrow table; a column of texts is one where all of them are missing, too."""
    import pyarrow as pa

    table = pa.Table.from_pandas(cells_table(result), preserve_index=False)
    fields = [each.with_type(pa.string()) if pa.types.is_null(each.type) else each for each in table.schema]
    return table.cast(pa.schema(fields))
