"""Filters in the terms of Qdrant's server: must, should, must_not, match and range."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from qdrant_client import grpc

from engines.base import Field
from engines.columns import Value
from engines.qdrant.bounds import exact_bounds
from engines.qdrant.points.payload import rounded
from engines.values.translation import Translator

T = TypeVar("T")
Clause = Literal["must", "should", "must_not"]


class Conditions(Translator[T]):
    """What gRPC and REST have in common: which conditions a filter is made of."""

    def everything(self) -> T:
        return self.clause("must", [])

    def one_of(self, alias: str, field: Field, values: Sequence[Value]) -> T:
        if field.kind == "float":  # match knows no floats
            ranges = [self.within(alias, {"gte": float(value), "lte": float(value)}) for value in values]
            return ranges[0] if len(ranges) == 1 else self.any_of(ranges)
        if field.kind == "boolean":  # nor several booleans
            matches = [self.matching(alias, [bool(value)]) for value in values]
            return matches[0] if len(matches) == 1 else self.any_of(matches)
        return self.matching(alias, values)

    def exists(self, alias: str, field: Field) -> T:
        return self.clause("must_not", [self.lacking(alias)])

    def between(self, alias: str, first: int | None, last: int | None) -> T:
        return self.ranging(alias, exact_bounds(first, last))

    def within(self, alias: str, bounds: Mapping[str, float]) -> T:
        return self.ranging(alias, {name: rounded(bound) for name, bound in bounds.items()})

    def all_of(self, parts: Sequence[T]) -> T:
        return self.clause("must", parts)

    def any_of(self, parts: Sequence[T]) -> T:
        return self.clause("should", parts)

    def negate(self, part: T) -> T:
        return self.clause("must_not", [part])

    @abstractmethod
    def matching(self, alias: str, values: Sequence[Value]) -> T:
        """The field equals one of these: text or integers, or a single boolean."""

    @abstractmethod
    def lacking(self, alias: str) -> T:
        """The field has no value, or an empty list of them."""

    @abstractmethod
    def ranging(self, alias: str, bounds: Mapping[str, float]) -> T:
        """A number obeys every one of these bounds, as they are."""

    @abstractmethod
    def clause(self, kind: Clause, parts: Sequence[T]) -> T:
        """A filter of one clause, as a condition."""


class GrpcConditions(Conditions[grpc.Condition]):
    """A filter as a condition of the generated types; `as_filter` makes a query's filter of it."""

    def nothing(self) -> grpc.Condition:
        return grpc.Condition(has_id=grpc.HasIdCondition())

    def matching(self, alias: str, values: Sequence[Value]) -> grpc.Condition:
        first = values[0]
        if isinstance(first, bool):
            match = grpc.Match(boolean=first)
        elif isinstance(first, str):
            match = (
                grpc.Match(keyword=first)
                if len(values) == 1
                else grpc.Match(keywords=grpc.RepeatedStrings(strings=values))  # type: ignore[arg-type]
            )
        elif len(values) == 1:
            match = grpc.Match(integer=int(first))
        else:
            match = grpc.Match(integers=grpc.RepeatedIntegers(integers=values))  # type: ignore[arg-type]
        return grpc.Condition(field=grpc.FieldCondition(key=alias, match=match))

    def lacking(self, alias: str) -> grpc.Condition:
        return grpc.Condition(is_empty=grpc.IsEmptyCondition(key=alias))

    def ranging(self, alias: str, bounds: Mapping[str, float]) -> grpc.Condition:
        return grpc.Condition(field=grpc.FieldCondition(key=alias, range=grpc.Range(**bounds)))

    def clause(self, kind: Clause, parts: Sequence[grpc.Condition]) -> grpc.Condition:
        return grpc.Condition(filter=grpc.Filter(**{kind: parts}))  # type: ignore[arg-type]


def as_filter(condition: grpc.Condition) -> grpc.Filter:
    """A condition as a query's filter."""
    return condition.filter if condition.HasField("filter") else grpc.Filter(must=[condition])


class RestConditions(Conditions[dict[str, Any]]):
    """A filter as the JSON of a condition; `as_json` makes a query's filter of it."""

    def nothing(self) -> dict[str, Any]:
        return {"has_id": []}

    def matching(self, alias: str, values: Sequence[Value]) -> dict[str, Any]:
        match = {"value": values[0]} if len(values) == 1 else {"any": values}
        return {"key": alias, "match": match}

    def lacking(self, alias: str) -> dict[str, Any]:
        return {"is_empty": {"key": alias}}

    def ranging(self, alias: str, bounds: Mapping[str, float]) -> dict[str, Any]:
        return {"key": alias, "range": bounds}

    def clause(self, kind: Clause, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {kind: parts}


def as_json(condition: dict[str, Any]) -> dict[str, Any]:
    """A condition as a query's filter."""
    return {"must": [condition]} if "key" in condition or "has_id" in condition else condition
