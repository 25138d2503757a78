"""The JSON form of filters, as used in scenarios and in `filters.jsonl`.

What a key means::

    {"brand": "Zara"}                      Eq; of tags: has this one
    {"brand": ["Zara", "H&M"]}             In; of tags: has one of these
    {"colour": {"all": ["red", "blue"]}}   And of Eq: has all of these
    {"price": {"gte": 10, "lt": 50}}       Range (gt, gte, lt, lte)
    {"size": {"exists": true}}             Exists; false: Not of that
    {"and": [...]}, {"or": [...]}          And, Or
    {"not": {...}}                         Not

Several keys mean And. What is read can be written by `to_json` and read again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from engines.columns import Value
from engines.filters import BOUNDS, And, Eq, Exists, Filter, In, Not, Or, Range
from engines.values.filter_dialects import milliseconds, to_write, translated
from engines.values.shown import as_json, is_unicode, shown

RESERVED = ("and", "or", "not")  # no column can be called so
# Levels of And, Or and Not inside each other, however they are written; some servers take no more than 30 of their own.
DEEPEST = 20


class FilterSyntaxError(ValueError):
    """A filter's JSON form is malformed; the message says where, what is expected and, for the forms of other systems,
    what to write. is_advised: whether it does.
    """

    def __init__(self, message: str, *, is_advised: bool = False) -> None:
        super().__init__(message)
        self.is_advised = is_advised


def parse(data: object) -> Filter | None:
    """The filter of a JSON form; None for null and for {}. Raises FilterSyntaxError."""
    return _parse(data, 0)


def advised(data: object) -> str:
    """What to write instead of a filter in the form of another system; empty where that is not understood."""
    ours = translated(data)
    try:
        return "" if ours is None or _parsed(ours, 0) is None else to_write(ours)
    except FilterSyntaxError:
        return ""


def _parse(data: object, level: int) -> Filter | None:
    try:
        return _parsed(data, level)
    except FilterSyntaxError as error:
        advice = (
            "" if error.is_advised else advised(data)
        )  # of the innermost filter that can be put into our form
        if advice:
            raise FilterSyntaxError(f"{error}; {advice}", is_advised=True) from error
        raise


def _parsed(data: object, level: int) -> Filter | None:
    if data is None or data == {}:
        return None
    if not isinstance(data, Mapping):
        raise FilterSyntaxError(
            f'a filter must be an object such as {{"brand": "Zara"}}, got {as_json(data)}'
        )
    if len(data) > 1:
        level = _below(level)
    parts = tuple(_parse_key(key, value, level) for key, value in data.items())
    return parts[0] if len(parts) == 1 else And(parts)


def _below(level: int) -> int:
    """The next level of the filter."""
    if level == DEEPEST:
        raise FilterSyntaxError(
            f"and, or and not are nested more than {DEEPEST} levels deep, where several keys in one object count as an "
            "and; flatten the filter"
        )
    return level + 1


def _parse_key(key: object, value: object, level: int) -> Filter:
    if not isinstance(key, str):
        raise FilterSyntaxError(f"a column's name must be text, got {as_json(key)}; put it in quotes")
    _require_unicode(key, key)
    if key in ("and", "or"):
        if not isinstance(value, list):
            raise FilterSyntaxError(f"'{key}' must hold a list of filters, got {as_json(value)}")
        parts = tuple(_parse_inner(key, part, level) for part in value)
        return And(parts) if key == "and" else Or(parts)
    if key == "not":
        return Not(_parse_inner(key, value, level))
    if isinstance(value, Mapping):
        return _parse_operators(key, value, level)
    if isinstance(value, list):
        return In(key, tuple(_parse_value(key, item) for item in value))
    return Eq(key, _parse_value(key, value))


def _parse_inner(key: str, data: object, level: int) -> Filter:
    inner = _parse(data, _below(level))
    if inner is None:
        raise FilterSyntaxError(f"'{key}' must not hold an empty filter")
    return inner


def _parse_operators(key: str, operators: Mapping[Any, Any], level: int) -> Filter:
    match dict(operators):
        case {"exists": True} if len(operators) == 1:
            return Exists(key)
        case {"exists": False} if len(operators) == 1:
            _below(level)
            return Not(Exists(key))
        case {"all": list(values)} if values and len(operators) == 1:
            parts = tuple(Eq(key, _parse_value(key, value)) for value in values)
            if len(parts) == 1:
                return parts[0]
            _below(level)
            return And(parts)
        case {"exists": value} if len(operators) == 1:
            raise FilterSyntaxError(f"'{key}.exists' must be true or false, got {as_json(value)}")
        case {"all": value} if len(operators) == 1:
            raise FilterSyntaxError(f"'{key}.all' must be a list of at least one value, got {as_json(value)}")
        case {"exists": _} | {"all": _}:
            raise FilterSyntaxError(
                f"'{key}': exists and all stand alone, got {as_json(dict(operators))}; join conditions by 'and'"
            )
    return _parse_range(key, operators)


def _parse_range(key: str, bounds: Mapping[Any, Any]) -> Range:
    unknown = set(map(str, bounds)) - set(BOUNDS)
    if unknown or not bounds:
        raise FilterSyntaxError(
            f"'{key}' takes the bounds {', '.join(BOUNDS)}, or exists, or all, got {as_json(dict(bounds))}"
        )
    for bound, number in bounds.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not _is_finite(number):
            is_date = isinstance(number, str) and milliseconds(number) is not None
            form = "a date in milliseconds since 1970" if is_date else "a finite number"
            is_word = isinstance(number, str) and translated({key: {bound: number}}) is None
            advice = "; keywords and tags have no range" if is_word else ""
            raise FilterSyntaxError(f"'{key}.{bound}' must be {form}, got {as_json(number)}{advice}")
    return Range(key, **bounds)


def _parse_value(key: str, value: object) -> Value:
    if not isinstance(value, str | int | float | bool):
        raise FilterSyntaxError(
            f"'{key}' must be compared with text, a number or a boolean, got {as_json(value)}"
        )
    if isinstance(value, str):
        _require_unicode(key, value)
    elif not _is_finite(value):
        raise FilterSyntaxError(f"'{key}' must be compared with a finite number, got {as_json(value)}")
    return value


def _require_unicode(key: str, text: str) -> None:
    if not is_unicode(text):
        raise FilterSyntaxError(
            f"{shown(key)}: {shown(text)} is no valid Unicode, it holds half of a character; write it in full"
        )


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)  # converts to float64, so it raises for 10**400
    except OverflowError:
        return False


def to_json(where: Filter | None) -> dict[str, Any]:  # noqa: PLR0911 - one a node type
    """The JSON form, such that parse(to_json(f)) == f."""
    match where:
        case None:
            return {}
        case Eq(name, value):
            return {name: value}
        case In(name, values):
            return {name: list(values)}
        case Range(name):
            return {name: where.bounds}
        case Exists(name):
            return {name: {"exists": True}}
        case And(filters):
            return {"and": [to_json(inner) for inner in filters]}
        case Or(filters):
            return {"or": [to_json(inner) for inner in filters]}
        case _:
            return {"not": to_json(where.filter)}
