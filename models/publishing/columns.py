"""A catalogue's columns as a dataset has them: names that filters can use, and what stands in for missing values."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engines.columns import Column, Keywords
from engines.values.filter_syntax import RESERVED
from models.data.items import MISSING, Categories, Items

if TYPE_CHECKING:
    import pyarrow as pa

LISTED = "listed_ms"  # the column that says when an item was listed


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column of a catalogue becomes which of a dataset.

    id: the column of ids. categories, numbers, texts: the dataset's name of a column by the catalogue's. listed: the
    name of the moments, None where there are none. fill: by the dataset's name, what stands in for a missing value.
    """

    id: str
    categories: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    listed: str | None = None
    fill: Mapping[str, str | float] = field(default_factory=dict)


def layout(items: Items) -> Layout:
    """How a catalogue is laid out. A column keeps its name where it can.

    One without a name, one called like a word of the filter language, or a number called like a category gets a `_`
    behind it. A text that is also a category is written once, as the category: their values are the same. The column
    of ids is `id`, or `id_` where a column has that name.
    """
    used: set[str] = {*RESERVED, ""}
    categories = {name: _free(name, used) for name in items.categories}
    numbers = {name: _free(name, used) for name in items.numbers}
    listed = None if items.listed_ms is None else _free(LISTED, used)
    texts = {name: _free(name, used) for name in items.texts if name not in items.categories}
    fill: dict[str, str | float] = {}
    for name, column in items.categories.items():
        if (column.codes == MISSING).any():
            fill[categories[name]] = _unused(column.words)
    for name, values in items.numbers.items():
        if np.isnan(values).any():
            fill[numbers[name]] = below(values)
    return Layout(_free("id", used), categories, numbers, texts, listed, fill)


def _free(name: str, used: set[str]) -> str:
    while name in used:
        name += "_"
    used.add(name)
    return name


def _unused(words: tuple[str, ...]) -> str:
    taken, word = set(words), "unknown"
    while word in taken:
        word += "_"
    return word


def below(values: npt.NDArray[np.float64]) -> float:
    """A number that no filter asks for: -1, or, where values are negative, one below twice the lowest.

    A range reaches from the lowest value of a history to the highest, each widened by at most the whole of itself.
    """
    lowest = float(np.min(values[~np.isnan(values)], initial=0.0))
    if lowest >= 0:
        return -1.0
    far = max(2 * lowest, -sys.float_info.max)
    return min(math.floor(far) - 1.0, math.nextafter(far, -math.inf)) if far > -sys.float_info.max else far


def filterable(items: Items, laid: Layout) -> dict[str, Column]:
    """The columns that filters ask, by the dataset's name. What is missing matches nothing: its code is no word's."""
    columns: dict[str, Column] = {}
    for name, column in items.categories.items():
        vocabulary = np.empty(len(column.words), object)
        vocabulary[:] = column.words
        columns[laid.categories[name]] = Keywords(column.codes, vocabulary)
    return columns | {laid.numbers[name]: values for name, values in items.numbers.items()}


def table(items: Items, laid: Layout) -> pa.Table:
    """The dataset's attributes, one row a listing; missing values are null."""
    import pyarrow as pa

    return pa.table(dict(_arrays(items, laid)))


def _arrays(items: Items, laid: Layout) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa

    yield laid.id, pa.array(items.ids.tolist())
    for name, column in items.categories.items():
        yield laid.categories[name], _words(column)
    for name, values in items.numbers.items():
        yield laid.numbers[name], pa.array(values, pa.float64(), mask=np.isnan(values))
    if laid.listed is not None:
        yield laid.listed, pa.array(items.listed_ms, pa.int64())
    for name, written in laid.texts.items():
        yield written, pa.array(items.texts[name].tolist(), pa.string())


def _words(column: Categories) -> pa.Array:
    import pyarrow as pa

    codes = pa.array(column.codes, pa.int32(), mask=column.codes == MISSING)
    return pa.DictionaryArray.from_arrays(codes, pa.array(list(column.words), pa.string())).cast(pa.string())
