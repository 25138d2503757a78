"""Filters in the JSON that the service takes, over the aliases of fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engines.base import Field
from engines.columns import Value
from engines.values.translation import Translator

Condition = dict[str, Any]
_ESCAPE, _NUL = "\1", "\2"


class Conditions(Translator[Condition]):
    """A filter as the `where` of a request."""

    def everything(self) -> Condition:
        return {"and": []}

    def nothing(self) -> Condition:
        return {"not": {"and": []}}  # an empty `or` is refused

    def one_of(self, alias: str, field: Field, values: Sequence[Value]) -> Condition:
        stored = [stored_word(value) if isinstance(value, str) else value for value in values]
        return {alias: stored[0] if len(stored) == 1 else stored}

    def exists(self, alias: str, field: Field) -> Condition:
        return {alias: {"exists": True}}

    def between(self, alias: str, first: int | None, last: int | None) -> Condition:
        bounds = {"gte": first, "lte": last}
        return {alias: {name: bound for name, bound in bounds.items() if bound is not None}}

    def within(self, alias: str, bounds: Mapping[str, float]) -> Condition:
        return {alias: dict(bounds)}

    def all_of(self, parts: Sequence[Condition]) -> Condition:
        return {"and": list(parts)}

    def any_of(self, parts: Sequence[Condition]) -> Condition:
        return {"or": list(parts)}

    def negate(self, part: Condition) -> Condition:
        return {"not": part}


def stored_word(word: str) -> str:
    """A keyword as the service stores it, which takes no NUL: that is U+0001 U+0002, and U+0001 is doubled."""
    if "\0" in word or _ESCAPE in word:
        return word.replace(_ESCAPE, _ESCAPE * 2).replace("\0", _ESCAPE + _NUL)
    return word


def read_word(stored: str) -> str:
    """The keyword that is stored so."""
    if _ESCAPE not in stored:
        return stored
    return _ESCAPE.join(part.replace(_ESCAPE + _NUL, "\0") for part in stored.split(_ESCAPE * 2))
