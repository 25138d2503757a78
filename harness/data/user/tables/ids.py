"""The ids of items: a column of them, unique, and how the rows of another table follow them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engines.values.shown import shown
from harness.data.user.conversion import is_text
from harness.data.user.tables.table import Table
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa

_SHOWN = 3  # examples of each kind of fault


def read_ids(table: Table, name: str) -> pa.ChunkedArray:
    """A column of ids, integers or texts, each once. Raises ConfigurationError."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column, label = table.read(name), table.place(name)
    if isinstance(column.type, pa.UuidType):
        column = pa.chunked_array([pa.array([_text(value) for value in column.to_pylist()], pa.string())])
    if not (pa.types.is_integer(column.type) or is_text(column.type)):
        raise ConfigurationError(f"{label}: ids must be strings or integers, are {column.type}")
    if is_text(column.type):
        column = column.cast(pa.large_string())
    problems = []
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py()
        problems.append(f"{label}: row {row} has no id; every item needs one")
    if pc.count_distinct(column, "only_valid").as_py() < len(column) - column.null_count:
        problems.append(_repeated(column, label))
    if problems:
        raise ConfigurationError(problems)
    return column


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _repeated(column: pa.ChunkedArray, label: str) -> str:
    first: dict[object, int] = {}
    repeated = [
        (value, first[value], row)
        for row, value in enumerate(column.to_pylist())
        if first.setdefault(value, row) != row and value is not None
    ]
    examples = ", ".join(
        f"{shown(value)} in rows {one} and {other}" for value, one, other in repeated[:_SHOWN]
    )
    return f"{label}: ids occur twice: {examples} ({len(repeated):,} in all); ids must be unique"


def order_by(ids: pa.ChunkedArray, others: pa.ChunkedArray, label: str, of: str) -> pa.Array:
    """The row in a table with ids `others` of each of `ids`. Raises ConfigurationError where it lacks one.

    label: the table. of: where the ids are.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if ids.type != others.type:
        ids, others = ids.cast(pa.large_string()), others.cast(pa.large_string())
    order = pc.index_in(ids, value_set=others)
    if order.null_count:
        row = pc.index(pc.is_null(order), True).as_py()
        raise ConfigurationError(
            f"{label}: has no row for {order.null_count:,} ids of {of}, of which the first is "
            f"{shown(ids[row].as_py())} (row {row}); add these rows"
        )
    return order
