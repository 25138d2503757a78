"""The filter language: six immutable node types, their meaning (`matches`) and their JSON form.

JSON form, as used in scenarios and in `filters.jsonl`::

    {"brand": "Zara"}                      Eq
    {"brand": ["Zara", "H&M"]}             In
    {"price": {"gte": 10, "lt": 50}}       Range (gt, gte, lt, lte)
    {"and": [...]}, {"or": [...]}          And, Or
    {"not": {...}}                         Not
    {"brand": "Zara", "size": "M"}         several keys: And
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.base import Column, Keywords, Schema, Value

Mask = npt.NDArray[np.bool_]
_BOUNDS = ("gt", "gte", "lt", "lte")


@dataclass(frozen=True, slots=True)
class Eq:
    """The field has this value."""

    field: str
    value: Value


@dataclass(frozen=True, slots=True)
class In:
    """The field has one of these values; of none, nothing matches."""

    field: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """The number lies within every bound that is given."""

    field: str
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None


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
    """The inner filter does not match."""

    filter: Filter


Filter = Eq | In | Range | And | Or | Not


class FilterSyntaxError(ValueError):
    """A filter's JSON form is malformed; the message says where and what is expected."""


def matches(where: Filter | None, columns: Mapping[str, Column], rows: int) -> Mask:
    """Which of `rows` rows match.

    columns: the columns by field name, each with `rows` rows. Returns bool[rows].
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
        case And(filters):
            mask = np.ones(rows, dtype=np.bool_)
            for inner in filters:
                mask &= matches(inner, columns, rows)
            return mask
        case Or(filters):
            mask = np.zeros(rows, dtype=np.bool_)
            for inner in filters:
                mask |= matches(inner, columns, rows)
            return mask
        case Not(inner):
            return ~matches(inner, columns, rows)


def _equal(column: Column, values: tuple[Value, ...]) -> Mask:
    if isinstance(column, Keywords):
        # The vocabulary is looked up, not the rows: comparing int32 codes is ~30x faster than strings.
        wanted = set(values)
        codes = [code for code, word in enumerate(column.vocabulary) if word in wanted]
        return _any_equal(column.codes, codes)
    return _any_equal(column, list(values))


def _any_equal(column: npt.NDArray[Any], values: list[Any]) -> Mask:
    if len(values) == 1:
        return np.asarray(column == values[0])
    if not values:
        return np.zeros(len(column), dtype=np.bool_)
    return np.isin(column, np.asarray(values))


def _within(column: Column, bounds: Range) -> Mask:
    assert not isinstance(column, Keywords)  # check() refuses a range over keywords
    mask = np.ones(len(column), dtype=np.bool_)
    if bounds.gt is not None:
        mask &= column > bounds.gt
    if bounds.gte is not None:
        mask &= column >= bounds.gte
    if bounds.lt is not None:
        mask &= column < bounds.lt
    if bounds.lte is not None:
        mask &= column <= bounds.lte
    return mask


def parse(data: object) -> Filter | None:
    """The filter of a JSON form; None for null and for {}. Raises FilterSyntaxError."""
    if data is None or data == {}:
        return None
    if not isinstance(data, Mapping):
        raise FilterSyntaxError(f"a filter must be an object such as {{'brand': 'Zara'}}, got {data!r}")
    parts = tuple(_parse_key(str(key), value) for key, value in data.items())
    return parts[0] if len(parts) == 1 else And(parts)


def _parse_key(key: str, value: object) -> Filter:
    if key in ("and", "or"):
        if not isinstance(value, list):
            raise FilterSyntaxError(f"'{key}' must hold a list of filters, got {value!r}")
        parts = tuple(_parse_inner(key, part) for part in value)
        return And(parts) if key == "and" else Or(parts)
    if key == "not":
        return Not(_parse_inner(key, value))
    if isinstance(value, Mapping):
        unknown = sorted(set(map(str, value)) - set(_BOUNDS))
        if unknown or not value:
            raise FilterSyntaxError(f"'{key}' takes the bounds {', '.join(_BOUNDS)}, got {dict(value)!r}")
        for bound, number in value.items():
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise FilterSyntaxError(f"'{key}.{bound}' must be a number, got {number!r}")
        return Range(key, **value)
    if isinstance(value, list):
        return In(key, tuple(_parse_value(key, item) for item in value))
    return Eq(key, _parse_value(key, value))


def _parse_inner(key: str, data: object) -> Filter:
    inner = parse(data)
    if inner is None:
        raise FilterSyntaxError(f"'{key}' must not hold an empty filter")
    return inner


def _parse_value(key: str, value: object) -> Value:
    if not isinstance(value, str | int | float | bool):
        raise FilterSyntaxError(f"'{key}' must be compared with text, a number or a boolean, got {value!r}")
    return value


def to_json(where: Filter | None) -> dict[str, Any]:
    """The JSON form, such that parse(to_json(f)) == f."""
    match where:
        case None:
            return {}
        case Eq(name, value):
            return {name: value}
        case In(name, values):
            return {name: list(values)}
        case Range(name):
            bounds = {bound: getattr(where, bound) for bound in _BOUNDS}
            return {name: {bound: number for bound, number in bounds.items() if number is not None}}
        case And(filters):
            return {"and": [to_json(inner) for inner in filters]}
        case Or(filters):
            return {"or": [to_json(inner) for inner in filters]}
        case Not(inner):
            return {"not": to_json(inner)}


def leaves(where: Filter | None) -> Iterator[Eq | In | Range]:
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
            known = ", ".join(f.name for f in schema.fields) or "none"
            problems.append(f"unknown column '{leaf.field}' (the dataset has: {known})")
            continue
        if isinstance(leaf, Range):
            if field.kind not in ("integer", "float"):
                problems.append(f"'{leaf.field}' is {field.kind}, a range needs integer or float")
            continue
        for value in (leaf.value,) if isinstance(leaf, Eq) else leaf.values:
            if not _fits(value, field.kind):
                problems.append(f"'{leaf.field}' is {field.kind}, it cannot equal {value!r}")
    return problems


def _fits(value: Value, kind: str) -> bool:
    if kind == "keyword":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, int | float if kind == "float" else int) and not isinstance(value, bool)
