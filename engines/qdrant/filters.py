"""Filters in Qdrant's terms: must, should, must_not, match and range."""

from __future__ import annotations

from collections.abc import Sequence

import qdrant_edge as qe

from engines.base import FieldKind, Schema, UnsupportedError, Value
from engines.filters import INT64, And, Eq, Filter, In, Or, Range, integer_interval

Condition = qe.FieldCondition | qe.HasIdCondition | qe.Filter


def translate(where: Filter, schema: Schema) -> qe.Filter:
    """The same filter for Qdrant. Raises UnsupportedError for an integer range it would round."""
    condition = _condition(where, schema)
    return condition if isinstance(condition, qe.Filter) else qe.Filter(must=[condition])


def _condition(where: Filter, schema: Schema) -> Condition:
    match where:
        case Eq(name, value):
            return _one_of(name, (value,), schema)
        case In(name, values):
            return _one_of(name, values, schema)
        case Range():
            return _range(where, schema)
        case And(filters):
            return qe.Filter(must=[_condition(inner, schema) for inner in filters])
        case Or(filters):
            # To Qdrant no alternatives at all mean no restriction.
            return (
                qe.Filter(should=[_condition(inner, schema) for inner in filters]) if filters else _nothing()
            )
        case _:  # only Not is left
            return qe.Filter(must_not=[_condition(where.filter, schema)])


def _nothing() -> Condition:
    return qe.HasIdCondition(set())


def _field(name: str, schema: Schema) -> tuple[str, FieldKind]:
    field = schema.field(name)
    if field is None:
        raise KeyError(name)
    return schema.aliases[name], field.kind


def _one_of(name: str, values: Sequence[Value], schema: Schema) -> Condition:
    key, kind = _field(name, schema)
    if not values:
        return _nothing()
    if kind == "float":  # match knows no floats
        return qe.Filter(
            should=[
                qe.FieldCondition(key, range=qe.RangeFloat(gte=float(value), lte=float(value)))
                for value in values
            ]
        )
    if kind == "keyword":
        return qe.FieldCondition(key, match=qe.MatchAny([str(value) for value in values]))
    # Booleans are stored as 0 and 1: the binding takes a bool for an integer, which equals no boolean.
    return qe.FieldCondition(key, match=qe.MatchAny([int(value) for value in values]))


def _range(bounds: Range, schema: Schema) -> Condition:
    key, kind = _field(bounds.field, schema)
    if kind == "integer":
        interval = integer_interval(bounds)
        if interval is None:
            return _nothing()
        first, last = interval
        exact: dict[str, float] = {}
        if first > INT64[0]:
            exact |= _exact({"gte": first, "gt": first - 1})
        if last < INT64[1]:
            exact |= _exact({"lte": last, "lt": last + 1})
        return qe.FieldCondition(key, range=qe.RangeFloat(**exact))
    given = {name: getattr(bounds, name) for name in ("gt", "gte", "lt", "lte")}
    return qe.FieldCondition(
        key, range=qe.RangeFloat(**{name: float(bound) for name, bound in given.items() if bound is not None})
    )


def _exact(either: dict[str, int]) -> dict[str, float]:
    """The first of two bounds of the same meaning that float64 holds exactly."""
    for name, bound in either.items():
        if int(float(bound)) == bound:
            return {name: float(bound)}
    raise UnsupportedError(f"qdrant takes the bounds of a range as float64, which cannot hold {either}")
