"""Filters as SQL conditions. No value ever becomes part of the SQL text: each is a parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Literal, NamedTuple

from engines.base import Field, Value
from engines.pgvector.binary import array, value
from engines.translation import Translator

_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Condition(NamedTuple):
    """SQL with `{}` where a parameter goes, and the parameters in PostgreSQL's binary format."""

    sql: str
    values: tuple[bytes, ...] = ()


class Conditions(Translator[Condition]):
    """The same filter with other values gives the same SQL, so that it is prepared once."""

    def everything(self) -> Condition:
        return Condition("true")

    def nothing(self) -> Condition:
        return Condition("false")

    def one_of(self, alias: str, field: Field, values: Sequence[Value]) -> Condition:
        if len(values) == 1:
            return Condition(f"{alias} = {{}}", (value(field.kind, values[0]),))
        return Condition(f"{alias} = any({{}})", (array(field.kind, values),))

    def between(self, alias: str, first: int | None, last: int | None) -> Condition:
        return self._compare(alias, "integer", {">=": first, "<=": last})

    def within(self, alias: str, bounds: Mapping[str, float]) -> Condition:
        return self._compare(alias, "float", {_COMPARE[name]: bound for name, bound in bounds.items()})

    def _compare(
        self, alias: str, kind: Literal["integer", "float"], bounds: Mapping[str, float | None]
    ) -> Condition:
        given = {sign: bound for sign, bound in bounds.items() if bound is not None}
        sql = " and ".join(f"{alias} {sign} {{}}" for sign in given)
        return Condition(f"({sql})", tuple(value(kind, bound) for bound in given.values()))

    def all_of(self, parts: Sequence[Condition]) -> Condition:
        return self._joined(" and ", parts)

    def any_of(self, parts: Sequence[Condition]) -> Condition:
        return self._joined(" or ", parts)

    def _joined(self, word: str, parts: Sequence[Condition]) -> Condition:
        sql = word.join(part.sql for part in parts)
        return Condition(f"({sql})", tuple(chain.from_iterable(part.values for part in parts)))

    def negate(self, part: Condition) -> Condition:
        return Condition(f"not ({part.sql})", part.values)
