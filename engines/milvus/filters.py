"""Filters as Milvus expressions, with every value written out: servers before 2.5 have no expression templates, and
Milvus Lite ignores them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engines.base import Field, FieldKind
from engines.columns import Value
from engines.filters import INT64
from engines.milvus.fields import known
from engines.values.translation import Translator

_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
# All that the lexer of a quoted string treats specially.
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


class Expressions(Translator[str]):
    """A filter as the text of a boolean expression."""

    def everything(self) -> str:
        return "id >= 0"  # ids are never negative

    def nothing(self) -> str:
        return "id < 0"

    def one_of(self, alias: str, field: Field, values: Sequence[Value]) -> str:
        if field.kind == "tags":
            words = ", ".join(_literal(value, "keyword") for value in values)
            if len(values) == 1:
                return f"array_contains({alias}, {words})"
            return f"array_contains_any({alias}, [{words}])"
        if field.kind == "float" and len(values) > 1 and 0 in values:
            values = [*values, 0.0, -0.0]  # `in` tells them apart
        # A server reads the smallest integer as the negative of one that is too large, so it is never written.
        lowest = [f"{alias} < {INT64[0] + 1}"] if field.kind == "integer" and INT64[0] in values else []
        literals = [_literal(value, field.kind) for value in values if not lowest or value != INT64[0]]
        if not literals:
            return lowest[0]
        same = f"{alias} == {literals[0]}" if len(literals) == 1 else f"{alias} in [{', '.join(literals)}]"
        return " or ".join([same, *lowest])

    def exists(self, alias: str, field: Field) -> str:
        return f"{known(alias)} == true"

    def if_present(self, alias: str, field: Field, part: str) -> str:
        return part if field.kind == "tags" else f"{known(alias)} == true and ({part})"

    def between(self, alias: str, first: int | None, last: int | None) -> str:
        parts = [] if first is None else [f"{alias} >= {first}"]
        return " and ".join(parts if last is None else [*parts, f"{alias} < {last + 1}"])

    def within(self, alias: str, bounds: Mapping[str, float]) -> str:
        return " and ".join(f"{alias} {_SIGNS[name]} {bound!r}" for name, bound in bounds.items())

    def all_of(self, parts: Sequence[str]) -> str:
        return " and ".join(f"({part})" for part in parts)

    def any_of(self, parts: Sequence[str]) -> str:
        return " or ".join(f"({part})" for part in parts)

    def negate(self, part: str) -> str:
        return f"not ({part})"


def _literal(value: Value, kind: FieldKind) -> str:
    if kind == "keyword":
        return f'"{str(value).translate(_ESCAPES)}"'
    if kind == "boolean":
        return "true" if value else "false"
    return repr(float(value)) if kind == "float" else repr(int(value))
