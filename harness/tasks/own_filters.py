"""Filters of every kind that an item satisfies."""

from __future__ import annotations

from collections.abc import Mapping

from engines.columns import Column, Value, decoded
from engines.filters import And, Eq, Exists, Filter, In, Not, Or, Range, leaves, matches


def own_filter(columns: Mapping[str, Column], name: str, row: int) -> Filter:
    """A filter on a column that the item in a row satisfies."""
    return _equals(name, _value(columns[name], row))


def any_filter(columns: Mapping[str, Column], number: int, row: int) -> Filter | None:
    """A filter that the item in a row satisfies, of every kind in turn, each on every column; None without columns.

    Values that it does not have are those of the next row.
    """
    names = sorted(columns)
    if not names:
        return None
    number, kind = divmod(number, len(_KINDS))
    name, second = names[number % len(names)], names[(number + 1) % len(names)]
    return _KINDS[kind](columns, name, second, row)


def _value(column: Column, row: int) -> Value | None:
    """The value of the item in a row, None where it is missing; of tags, one of them."""
    row %= len(column)
    (value,) = decoded(column[row : row + 1])
    return next(iter(value), None) if isinstance(value, list) else value


def _equals(name: str, value: Value | None) -> Filter:
    if value is None:
        return Not(Exists(name))
    return Range(name, gte=value, lte=value) if isinstance(value, float) else Eq(name, value)


def _plain(columns: Mapping[str, Column], name: str, _second: str, row: int) -> Filter:
    return own_filter(columns, name, row)


def _any_of(columns: Mapping[str, Column], name: str, _second: str, row: int) -> Filter:
    own, other = _value(columns[name], row), _value(columns[name], row + 1)
    if own is None or other is None or isinstance(own, float):
        return Or((_equals(name, own), _equals(name, other)))
    return In(name, (own,) if own == other else (own, other))


def _bounded(columns: Mapping[str, Column], name: str, _second: str, row: int) -> Filter:
    own, other = _value(columns[name], row), _value(columns[name], row + 1)
    if own is None or other is None or isinstance(own, str | bool) or isinstance(other, str | bool):
        return _equals(name, own)
    if own == other:
        return Range(name, gte=own) if row % 2 else Range(name, lte=own)
    return Range(name, gte=own, lt=other) if own < other else Range(name, gt=other, lte=own)


def _not(columns: Mapping[str, Column], name: str, _second: str, row: int) -> Filter:
    negated = Not(own_filter(columns, name, row + 1))
    return negated if _satisfies(columns, row, negated) else own_filter(columns, name, row)


def _either(columns: Mapping[str, Column], name: str, second: str, row: int) -> Filter:
    return Or((own_filter(columns, name, row), own_filter(columns, second, row + 1)))


def _both(columns: Mapping[str, Column], name: str, second: str, row: int) -> Filter:
    return And((own_filter(columns, name, row), own_filter(columns, second, row)))


def _not_both(columns: Mapping[str, Column], name: str, second: str, row: int) -> Filter:
    negated = Not(And((own_filter(columns, name, row), own_filter(columns, second, row + 1))))
    return negated if _satisfies(columns, row, negated) else own_filter(columns, name, row)


def _satisfies(columns: Mapping[str, Column], row: int, where: Filter) -> bool:
    own = {leaf.field: columns[leaf.field] for leaf in leaves(where)}
    places = {name: row % len(column) for name, column in own.items()}
    item = {name: column[places[name] : places[name] + 1] for name, column in own.items()}
    return bool(matches(where, item, 1)[0])


_KINDS = (_plain, _any_of, _bounded, _not, _either, _both, _not_both)
