"""The JSON form of filters, as used in scenarios and in `filters.jsonl`.

What a key means::

    {"brand": "Zara"}                      Eq
    {"brand": ["Zara", "H&M"]}             In
    {"price": {"gte": 10, "lt": 50}}       Range (gt, gte, lt, lte)
    {"and": [...]}, {"or": [...]}          And, Or
    {"not": {...}}                         Not

Several keys mean And.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from engines.base import Value
from engines.filters import BOUNDS, And, Eq, Filter, In, Not, Or, Range

RESERVED = ("and", "or", "not")  # no column can be called so


class FilterSyntaxError(ValueError):
    """A filter's JSON form is malformed; the message says where and what is expected."""


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
        unknown = sorted(set(map(str, value)) - set(BOUNDS))
        if unknown or not value:
            raise FilterSyntaxError(f"'{key}' takes the bounds {', '.join(BOUNDS)}, got {dict(value)!r}")
        for bound, number in value.items():
            if isinstance(number, bool) or not isinstance(number, int | float) or not _is_finite(number):
                raise FilterSyntaxError(f"'{key}.{bound}' must be a finite number, got {number!r}")
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
    if not isinstance(value, str) and not _is_finite(value):
        raise FilterSyntaxError(f"'{key}' must be compared with a finite number, got {value!r}")
    return value


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
        case And(filters):
            return {"and": [to_json(inner) for inner in filters]}
        case Or(filters):
            return {"or": [to_json(inner) for inner in filters]}
        case _:
            return {"not": to_json(where.filter)}
