"""Filters in an engine's own terms: the traversal is written once, each engine supplies the conditions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from engines.base import Field, Schema, UnsupportedError
from engines.columns import Value
from engines.filters import INT64, And, Eq, Exists, Filter, In, Or, Range, integer_interval

T = TypeVar("T")


class Translator(ABC, Generic[T]):
    """Turns filters over a schema into conditions of type T. Fields are called by their aliases."""

    def __init__(self, schema: Schema) -> None:
        self._schema, self._aliases = schema, schema.aliases

    def translate(self, where: Filter) -> T:  # noqa: PLR0911 - one a node type
        """The condition that holds for exactly the items that match. Raises KeyError for an unknown field."""
        match where:
            case Eq(name, value):
                return self._one_of(name, (value,))
            case In(name, values):
                return self._one_of(name, values)
            case Range():
                return self._range(where)
            case Exists(name):
                return self._exists(name)
            case And(filters):
                return (
                    self.all_of([self.translate(inner) for inner in filters])
                    if filters
                    else self.everything()
                )
            case Or(filters):
                return (
                    self.any_of([self.translate(inner) for inner in filters]) if filters else self.nothing()
                )
            case _:  # only Not is left
                return self.negate(self.translate(where.filter))

    def _field(self, name: str) -> tuple[str, Field]:
        field = self._schema.field(name)
        if field is None:
            raise KeyError(name)
        return self._aliases[name], field

    def _one_of(self, name: str, values: Sequence[Value]) -> T:
        alias, field = self._field(name)
        return self._known(alias, field, self.one_of(alias, field, values)) if values else self.nothing()

    def _known(self, alias: str, field: Field, part: T) -> T:
        return self.if_present(alias, field, part) if field.can_lack else part

    def _range(self, where: Range) -> T:
        alias, field = self._field(where.field)
        if field.kind != "integer":
            return self._known(alias, field, self.within(alias, _strictest(where)))
        interval = integer_interval(where)
        if interval is None:
            return self.nothing()
        first, last = (bound if bound != end else None for bound, end in zip(interval, INT64, strict=True))
        if first is None and last is None:  # every integer lies within it, but an item may have none
            return self._exists(where.field)
        return self._known(alias, field, self.between(alias, first, last))

    def _exists(self, name: str) -> T:
        alias, field = self._field(name)
        return self.exists(alias, field) if field.can_lack else self.everything()

    @abstractmethod
    def everything(self) -> T:
        """Holds for every item."""

    @abstractmethod
    def nothing(self) -> T:
        """Holds for no item."""

    @abstractmethod
    def one_of(self, alias: str, field: Field, values: Sequence[Value]) -> T:
        """The field has one of these values; at least one, each of the field's kind. Of tags: one is among them."""

    def exists(self, alias: str, field: Field) -> T:
        """The field, which items may lack, has a value."""
        raise UnsupportedError(f"items that lack a value ('{field.name}') are not supported")

    def if_present(self, alias: str, field: Field, part: T) -> T:
        """Holds where `part` does and the field, which items may lack, has a value. Engines that keep another value in
        place of a missing one tell the two apart here; in the others a comparison never holds for what is missing.
        """
        return part

    @abstractmethod
    def between(self, alias: str, first: int | None, last: int | None) -> T:
        """An integer field lies between these, both included; None: no bound. At least one is given."""

    @abstractmethod
    def within(self, alias: str, bounds: Mapping[str, float]) -> T:
        """A float field obeys every bound: at least one is given, of gt and gte one at most, and so of lt and lte."""

    @abstractmethod
    def all_of(self, parts: Sequence[T]) -> T:
        """Every part holds; there is at least one."""

    @abstractmethod
    def any_of(self, parts: Sequence[T]) -> T:
        """At least one part holds; there is at least one."""

    @abstractmethod
    def negate(self, part: T) -> T:
        """The part does not hold: also for items that lack a value that it asks for."""


def _strictest(where: Range) -> dict[str, float]:
    """A range's bounds as floats, without those that another one implies: given both, engines obey either."""
    bounds = {name: float(bound) for name, bound in where.bounds.items()}
    if "gt" in bounds and "gte" in bounds:
        del bounds["gte" if bounds["gt"] >= bounds["gte"] else "gt"]
    if "lt" in bounds and "lte" in bounds:
        del bounds["lte" if bounds["lt"] <= bounds["lte"] else "lt"]
    return bounds
