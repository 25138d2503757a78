"""What a Parquet file of queries holds besides their vectors: each one's filter."""

from __future__ import annotations

from pathlib import Path

from harness.data.user.conversion import is_text
from harness.data.user.filters.lines import FilterSource
from harness.data.user.tables.table import Table
from harness.errors import ConfigurationError

_NAMES = ("filter", "filters")


def filter_column(table: Table, ids: str) -> tuple[FilterSource | None, list[str]]:
    """The filters in a column of that name, and notes on the columns that are not used.

    ids: the column of ids, which is not worth a note. Raises ConfigurationError.
    """
    names = [name for name in table.types if name in _NAMES]
    others = [name for name in table.types if name not in (*names, *table.vectors, *table.index, ids)]
    notes = [f"not used: {Path(table.label).name}: {', '.join(others)}"] if others else []
    if not names:
        return None, notes
    label = table.place(names[0])
    if not is_text(table.types[names[0]]):
        raise ConfigurationError(
            f"{label}: must hold each query's filter as JSON text, is {table.types[names[0]]}; write json.dumps of it"
        )
    return FilterSource(label, "row", 0, table.read(names[0]).to_pylist()), notes
