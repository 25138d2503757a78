"""The filter language: seven immutable node types and their meaning (`matches`)."""

from __future__ import annotations

import math
import operator
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.base import Schema
from engines.columns import Column, Keywords, Nullable, Tags, Value, present
from engines.meant import choices

Mask = npt.NDArray[np.bool_]
INT64 = (-(2**63), 2**63 - 1)  # the smallest and the largest integer a field can hold
_COMPARE: dict[str, Callable[[Any, float], Mask]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
BOUNDS = tuple(_COMPARE)  # of a range


@dataclass(frozen=True, slots=True)
class Eq:
    """The field has this value; of tags, this among others."""

    field: str
    value: Value


@dataclass(frozen=True, slots=True)
class In:
    """The field has one of these values; of none, nothing matches."""

    field: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """The number lies within every bound that is given; at least one is."""

    field: str
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None

    def __post_init__(self) -> None:
        if self.gt is None and self.gte is None and self.lt is None and self.lte is None:
            raise ValueError(f"a range over '{self.field}' needs one of {', '.join(BOUNDS)}")

    @property
    def bounds(self) -> dict[str, float]:
        """The bounds that are given, by name."""
        given = {name: getattr(self, name) for name in BOUNDS}
        return {name: bound for name, bound in given.items() if bound is not None}


@dataclass(frozen=True, slots=True)
class Exists:
    """The field has a value; of tags, at least one."""

    field: str


@dataclass(frozen=True, slots=True)
class And:
    """All match; an empty one matches everything."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one matches; an empty one matches nothing."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The inner filter does not match; so it holds where a value is missing that the inner one asks for."""

    filter: Filter


Filter = Eq | In | Range | Exists | And | Or | Not


def matches(where: Filter | None, columns: Mapping[str, Column], rows: int) -> Mask:  # noqa: PLR0911
    """Which of `rows` rows match. A value of another kind than its column's equals nothing, a missing one neither
    equals anything nor lies within a range.

    columns: the columns by field name, each with `rows` rows. Integers are compared exactly; with a float
    column a number is first converted to float64. Returns a new bool[rows].
    Raises KeyError for a field without a column.
    """
    match where:
        case None:
            return np.ones(rows, dtype=np.bool_)
        case Eq(name, value):
            return _equal(columns[name], (value,))
        case In(name, values):
            return _equal(columns[name], values)
        case Range(name):
            return _within(columns[name], where)
        case Exists(name):
            known = present(columns[name])
            return np.ones(rows, dtype=np.bool_) if known is None else known
        case And(filters):
            return _combined(np.logical_and, filters, columns, rows)
        case Or(filters):
            return _combined(np.logical_or, filters, columns, rows)
        case _:  # only Not is left
            mask = matches(where.filter, columns, rows)
            return np.logical_not(mask, out=mask)


def _combined(join: np.ufunc, filters: tuple[Filter, ...], columns: Mapping[str, Column], rows: int) -> Mask:
    if not filters:
        return np.full(rows, join is np.logical_and)
    mask = matches(filters[0], columns, rows)
    for inner in filters[1:]:
        join(mask, matches(inner, columns, rows), out=mask)
    return mask


def _equal(column: Column, values: tuple[Value, ...]) -> Mask:
    if isinstance(column, Nullable):
        mask = _equal(column.values, values)
        return np.logical_and(mask, column.present, out=mask)
    if isinstance(column, Tags):
        codes = [code for word in values if (code := column.code(word)) is not None]
        return column.having(codes) if codes else np.zeros(len(column), dtype=np.bool_)
    if isinstance(column, Keywords):
        # Words are looked up, then int32 codes are compared: ~30x faster than comparing strings.
        codes = [code for word in values if (code := column.code(word)) is not None]
        return _any_equal(column.codes, codes)
    if column.dtype == np.bool_:
        return _any_equal(column, [value for value in values if isinstance(value, bool)])
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if column.dtype.kind == "i":
        # Only whole numbers of 64 bits can occur; NumPy would compare the others as rounded floats.
        numbers = [int(value) for value in numbers if value == value // 1 and _fits_int64(value)]
    return _any_equal(column, numbers)


def _any_equal(column: npt.NDArray[Any], values: Sequence[Value]) -> Mask:
    if not values:
        return np.zeros(len(column), dtype=np.bool_)
    if len(values) == 1:
        return np.asarray(column == values[0])
    return np.isin(column, np.asarray(values, dtype=column.dtype))


def _fits_int64(value: float) -> bool:
    return INT64[0] <= value <= INT64[1]


def integer_interval(bounds: Range) -> tuple[int, int] | None:
    """The 64-bit integers within a range as first and last, so that none is compared as a rounded float.

    None if there are none.
    """
    first, last = INT64
    if bounds.gt is not None:
        first = max(first, math.floor(bounds.gt) + 1)
    if bounds.gte is not None:
        first = max(first, math.ceil(bounds.gte))
    if bounds.lt is not None:
        last = min(last, math.ceil(bounds.lt) - 1)
    if bounds.lte is not None:
        last = min(last, math.floor(bounds.lte))
    return (first, last) if first <= last else None


def _within(column: Column, where: Range) -> Mask:
    if isinstance(column, Nullable):
        mask = _within(column.values, where)
        return np.logical_and(mask, column.present, out=mask)
    if not isinstance(column, np.ndarray) or column.dtype == np.bool_:
        return np.zeros(len(column), dtype=np.bool_)  # no numbers; check() reports such a range
    if column.dtype.kind == "i":
        interval = integer_interval(where)
        if interval is None:
            return np.zeros(len(column), dtype=np.bool_)
        first, last = interval
        parts = [column >= first] if first > INT64[0] or last == INT64[1] else []
        parts += [column <= last] if last < INT64[1] else []
    else:
        parts = [_COMPARE[name](column, float(bound)) for name, bound in where.bounds.items()]
    mask = parts[0]
    for part in parts[1:]:
        np.logical_and(mask, part, out=mask)
    return mask


def leaves(where: Filter | None) -> Iterator[Eq | In | Range | Exists]:
    """The comparisons in a filter, left to right."""
    match where:
        case None:
            return
        case And(filters) | Or(filters):
            for inner in filters:
                yield from leaves(inner)
        case Not(inner):
            yield from leaves(inner)
        case _:
            yield where


def check(where: Filter | None, schema: Schema) -> list[str]:
    """What is wrong with a filter for this schema: unknown fields, values of another kind. [] if nothing."""
    problems = []
    for leaf in leaves(where):
        field = schema.field(leaf.field)
        if field is None:
            known = choices(leaf.field, (f.name for f in schema.fields), "the dataset has")
            problems.append(f"unknown column '{leaf.field}' ({known}){_same_looking(leaf.field, schema)}")
            continue
        if isinstance(leaf, Exists):
            continue
        if isinstance(leaf, Range):
            if field.kind not in ("integer", "float"):
                problems.append(f"'{leaf.field}' is {field.kind}, a range needs integer or float")
            continue
        problems += [
            f"'{leaf.field}' is {field.kind}, it cannot equal {value!r:.80}"
            for value in ((leaf.value,) if isinstance(leaf, Eq) else leaf.values)
            if not _fits(value, field.kind)
        ]
    return problems


def _same_looking(name: str, schema: Schema) -> str:
    """A hint where a column's name is the same text in other characters: an é of one and of two, or a ligature."""
    for field in schema.fields:
        if unicodedata.normalize("NFKC", field.name) == unicodedata.normalize("NFKC", name):
            return f"; it is written {name!a}, the column {field.name!a}"
    return ""


def _fits(value: Value, kind: str) -> bool:
    if kind in ("keyword", "tags"):
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "float":
        return isinstance(value, int | float)
    return isinstance(value, int) and _fits_int64(value)
