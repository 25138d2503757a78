"""Filters in the query language that Elasticsearch and OpenSearch share, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engines.base import Field
from engines.columns import Value
from engines.values.translation import Translator

Query = dict[str, Any]
LONGEST = 32_766  # bytes of a term


class Queries(Translator[Query]):
    """A filter as a query that is run for its matches, not for its score."""

    def everything(self) -> Query:
        return {"match_all": {}}

    def nothing(self) -> Query:
        return {"match_none": {}}

    def one_of(self, alias: str, field: Field, values: Sequence[Value]) -> Query:
        if field.kind == "float":
            values = [positive_zero(float(value)) for value in values]
        if field.kind in ("keyword", "tags"):  # longer ones are refused when they are written or searched for
            values = [value for value in values if len(str(value).encode()) <= LONGEST]
        if not values:
            return self.nothing()
        return {"term": {alias: values[0]}} if len(values) == 1 else {"terms": {alias: list(values)}}

    def exists(self, alias: str, field: Field) -> Query:
        return {"exists": {"field": alias}}

    def between(self, alias: str, first: int | None, last: int | None) -> Query:
        bounds = {"gte": first, "lte": last}
        return {"range": {alias: {name: bound for name, bound in bounds.items() if bound is not None}}}

    def within(self, alias: str, bounds: Mapping[str, float]) -> Query:
        return {"range": {alias: {name: positive_zero(bound) for name, bound in bounds.items()}}}

    def all_of(self, parts: Sequence[Query]) -> Query:
        return {"bool": {"filter": list(parts)}}

    def any_of(self, parts: Sequence[Query]) -> Query:
        return {"bool": {"should": list(parts), "minimum_should_match": 1}}

    def negate(self, part: Query) -> Query:
        return {"bool": {"must_not": [part]}}


def positive_zero(number: float) -> float:
    """The number, 0.0 for -0.0: Lucene tells them apart and orders one before the other."""
    return number + 0.0
