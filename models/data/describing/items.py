"""A file of items, described."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.data.describe import section, short
from models.data.describing.words import as_yaml, first_values, most_frequent, span
from models.data.items import ColumnChoice, Items, Reading
from models.data.reading.options import ItemOptions
from models.data.reading.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

_KEYS: Mapping[str, Reading] = {"categories": "category", "numbers": "number", "texts": "text"}


def describe_items(table: Table, items: Items, options: ItemOptions) -> str:
    """Every column of a file: what it is read as, of what type, how many values, what they are like, and why.

    items: what was read of the table with the options.
    """
    lines = [f"{table.path}: {len(items):,} items, {len(table.names)} columns"]
    lines += section("columns", [_column(table, items, choice) for choice in items.columns])
    if items.texts:
        bare = np.logical_and.reduce([texts == "" for texts in items.texts.values()])
        lines.append(f"without text {int(bare.sum()):,} items")
    lines.append("to read them otherwise, change in the configuration of bakeoff train:")
    lines.append(as_yaml({"items": item_options(items.columns, options)}))
    return "\n".join(lines)


def item_options(columns: tuple[ColumnChoice, ...], options: ItemOptions) -> dict[str, Any]:
    """The options, as in YAML, that say of every column what was inferred or named."""
    named: dict[str, Any] = {"id": options.id}
    named |= {key: [c.name for c in columns if reading in c.read_as] for key, reading in _KEYS.items()}
    named |= {"listed": options.listed, "unit": options.unit}
    named["leave_out"] = [column.name for column in columns if not column.read_as]
    return {key: value for key, value in named.items() if value}


def _column(table: Table, items: Items, choice: ColumnChoice) -> tuple[str, ...]:
    column = table.read(choice.name)
    return (
        short(choice.name),
        ", ".join(choice.read_as) or "left out",
        str(column.type),
        f"{choice.distinct:,} values",
        f"{choice.missing:,} missing",
        choice.why,
        _like(items, choice, column),
    )


def _like(items: Items, choice: ColumnChoice, column: pa.ChunkedArray) -> str:
    """What the values of a column are like."""
    name = choice.name
    if name in items.categories:
        held = items.categories[name]
        counts = np.bincount(held.codes[held.codes >= 0], minlength=len(held.words))
        return most_frequent(list(held.words), counts)
    if name in items.numbers:
        numbers = items.numbers[name]
        return f"{np.nanmin(numbers):,.6g} to {np.nanmax(numbers):,.6g}"
    if "listed" in choice.read_as and items.listed_ms is not None:
        return span(items.listed_ms)
    return first_values(column)
