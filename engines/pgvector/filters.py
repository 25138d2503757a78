"""Filters as SQL conditions. No value ever becomes part of the SQL text: each is a parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from engines.base import Field, Schema
from engines.columns import Value
from engines.pgvector.binary import array, double, integer, value
from engines.values.translation import Translator

_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Condition(NamedTuple):
    """SQL with `{}` where a parameter goes, and the parameters in PostgreSQL's binary format."""

    sql: str
    values: tuple[bytes, ...] = ()


class Conditions(Translator[Condition]):
    """The same filter with other values gives the same SQL, so that it is prepared once."""

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        self._lacking = any(field.can_lack for field in schema.fields)

    def everything(self) -> Condition:
        return Condition("true")

    def nothing(self) -> Condition:
        return Condition("false")

    def one_of(self, alias: str, field: Field, values: Sequence[Value]) -> Condition:
        if field.kind == "tags":
            return Condition(f"{alias} && {{}}", (array("keyword", values),))
        if len(values) == 1:
            return Condition(f"{alias} = {{}}", (value(field.kind, values[0]),))
        return Condition(f"{alias} = any({{}})", (array(field.kind, values),))

    def exists(self, alias: str, field: Field) -> Condition:
        return Condition(f"{alias} is not null")

    def between(self, alias: str, first: int | None, last: int | None) -> Condition:
        if first is None or last is None:
            sign, bound = ("<=", last) if first is None else (">=", first)
            assert bound is not None
            return Condition(f"{alias} {sign} {{}}", (integer(bound),))
        return Condition(f"{alias} between {{}} and {{}}", (integer(first), integer(last)))

    def within(self, alias: str, bounds: Mapping[str, float]) -> Condition:
        sql = " and ".join([f"{alias} {_COMPARE[name]} {{}}" for name in bounds])
        return Condition(f"({sql})", tuple([double(bound) for bound in bounds.values()]))

    def all_of(self, parts: Sequence[Condition]) -> Condition:
        return _joined(" and ", parts)

    def any_of(self, parts: Sequence[Condition]) -> Condition:
        return _joined(" or ", parts)

    def negate(self, part: Condition) -> Condition:
        if self._lacking:  # a comparison with null is neither true nor false
            return Condition(f"({part.sql}) is not true", part.values)
        return Condition(f"not ({part.sql})", part.values)


def _joined(word: str, parts: Sequence[Condition]) -> Condition:
    sql = word.join([part.sql for part in parts])
    return Condition(f"({sql})", tuple([each for part in parts for each in part.values]))
