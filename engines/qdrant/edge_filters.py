"""Filters in the terms of Qdrant's embedded core: must, should, must_not, match and range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import qdrant_edge as qe

from engines.base import Field
from engines.columns import Value
from engines.qdrant.bounds import exact_bounds
from engines.qdrant.points.payload import rounded
from engines.values.translation import Translator

Condition = qe.FieldCondition | qe.HasIdCondition | qe.Filter


class Conditions(Translator[Condition]):
    """A filter as a condition; `as_filter` makes a query's filter of it."""

    def everything(self) -> Condition:
        return qe.Filter(must=[])

    def nothing(self) -> Condition:
        return qe.HasIdCondition(set())

    def one_of(self, alias: str, field: Field, values: Sequence[Value]) -> Condition:
        if field.kind == "float":  # match knows no floats
            ranges = [self.within(alias, {"gte": float(value), "lte": float(value)}) for value in values]
            return qe.Filter(should=list(ranges))
        if field.kind in ("keyword", "tags"):
            return qe.FieldCondition(alias, match=qe.MatchAny([str(value) for value in values]))
        # Booleans are stored as 0 and 1: the binding takes a bool for an integer, which equals no boolean.
        return qe.FieldCondition(alias, match=qe.MatchAny([int(value) for value in values]))

    def exists(self, alias: str, field: Field) -> Condition:
        return qe.Filter(must_not=[qe.IsEmptyCondition(alias)])

    def between(self, alias: str, first: int | None, last: int | None) -> Condition:
        return _ranging(alias, exact_bounds(first, last))

    def within(self, alias: str, bounds: Mapping[str, float]) -> Condition:
        return _ranging(alias, {name: rounded(bound) for name, bound in bounds.items()})

    def all_of(self, parts: Sequence[Condition]) -> Condition:
        return qe.Filter(must=list(parts))

    def any_of(self, parts: Sequence[Condition]) -> Condition:
        return qe.Filter(should=list(parts))

    def negate(self, part: Condition) -> Condition:
        return qe.Filter(must_not=[part])


def _ranging(alias: str, bounds: Mapping[str, float]) -> Condition:
    return qe.FieldCondition(alias, range=qe.RangeFloat(**bounds))


def as_filter(condition: Condition) -> qe.Filter:
    """A condition as a query's filter."""
    return condition if isinstance(condition, qe.Filter) else qe.Filter(must=[condition])
