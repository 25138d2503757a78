"""Filters of requests: read, limited, and refused where no listing could ever match."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engines.base import Schema
from engines.columns import Value
from engines.filters import And, Eq, Exists, Filter, In, Or, Range, check, leaves
from engines.values.filter_syntax import FilterSyntaxError, parse
from engines.values.shown import shown
from service.catalogue.schema import Problem
from service.settings.model import LimitSettings

FIELD = "where"


def read_filter(data: Any, schema: Schema, limits: LimitSettings) -> tuple[Filter | None, list[Problem]]:
    """The filter of its JSON form, and all that is wrong with it."""
    try:
        where = parse(data)
    except FilterSyntaxError as error:
        return None, [Problem(FIELD, str(error))]
    problems = [Problem(FIELD, text) for text in _excesses(list(leaves(where)), limits)]
    if not problems:  # of what is too much, the rest is not looked at
        problems = [Problem(FIELD, text) for text in check(where, schema)]
    if not problems:
        problems = [Problem(FIELD, text) for text in contradictions(where, schema)]
    return where, problems


def _excesses(comparisons: Sequence[Eq | In | Range | Exists], limits: LimitSettings) -> Iterator[str]:
    """What a filter has too much of."""
    if len(comparisons) > limits.conditions:
        yield f"holds {len(comparisons):,} comparisons, of which {limits.conditions:,} are allowed; ask for less"
    for leaf in comparisons[: limits.conditions]:
        if isinstance(leaf, In) and len(leaf.values) > limits.values:
            yield f"'{leaf.field}' has {len(leaf.values):,} values, of which {limits.values:,} are allowed"


def contradictions(where: Filter | None, schema: Schema) -> list[str]:
    """Why nothing can match, whatever the listings are: conditions on one field that exclude each other. [] if it can.

    Negations are not looked into. Of tags a listing may have several, and so these exclude no others.
    """
    match where:
        case Or(filters) if filters:
            found = [contradictions(inner, schema) for inner in filters]
            return [line for lines in found for line in lines] if all(found) else []
        case Or():
            return ["an empty 'or' matches nothing; leave it out"]
        case None:
            return []
        case _:
            return list(_of_conjunction(tuple(_conditions(where)), schema))


def _conditions(where: Filter) -> Iterator[Filter]:
    if isinstance(where, And):
        for inner in where.filters:
            yield from _conditions(inner)
    else:
        yield where


def _of_conjunction(parts: Sequence[Filter], schema: Schema) -> Iterator[str]:
    by_field: dict[str, list[Eq | In | Range]] = {}
    for part in parts:
        if isinstance(part, Or):
            yield from contradictions(part, schema)
        elif isinstance(part, Eq | In | Range):
            by_field.setdefault(part.field, []).append(part)
    for name, conditions in by_field.items():
        known = schema.field(name)
        several = known is not None and known.kind == "tags"
        for together in [[one] for one in conditions] if several else [conditions]:
            if text := _contradiction(together):
                yield f"nothing can match: '{name}' {text}; correct one of them"


def _contradiction(conditions: Sequence[Eq | In | Range]) -> str:
    """Why conditions on one field exclude each other; "" where they do not."""
    ranges = [one for one in conditions if isinstance(one, Range)]
    allowed: list[Value] | None = None
    for one in conditions:
        if isinstance(one, Range):
            continue
        values = [one.value] if isinstance(one, Eq) else list(one.values)
        if not values:
            return "must be one of no values"
        among = set(values)
        if allowed is not None and not (allowed := [value for value in allowed if value in among]):
            return f"must be {shown(values[0])} and something else"
        allowed = values if allowed is None else allowed
    bounds = _bounds(ranges)
    if allowed is not None and ranges:
        inside = [value for value in allowed if isinstance(value, int | float) and _within(value, ranges)]
        return "" if inside else f"must be {shown(allowed[0])} and lie {bounds}"
    return f"must lie {bounds}" if ranges and _empty(ranges) else ""


def _bounds(ranges: Sequence[Range]) -> str:
    signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
    return " and ".join(f"{signs[name]} {bound}" for one in ranges for name, bound in one.bounds.items())


def _within(value: float, ranges: Sequence[Range]) -> bool:
    return all(
        (one.gt is None or value > one.gt)
        and (one.gte is None or value >= one.gte)
        and (one.lt is None or value < one.lt)
        and (one.lte is None or value <= one.lte)
        for one in ranges
    )


def _empty(ranges: Sequence[Range]) -> bool:
    lows = [(bound, name == "gt") for one in ranges for name, bound in one.bounds.items() if name[0] == "g"]
    highs = [(bound, name == "lt") for one in ranges for name, bound in one.bounds.items() if name[0] == "l"]
    return any(
        low > high or (low == high and (strict_low or strict_high))
        for low, strict_low in lows
        for high, strict_high in highs
    )
