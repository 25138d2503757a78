"""Filters as Milvus expressions. Milvus Lite ignores expression templates, so values are written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engines.base import Field, FieldKind, Value
from engines.translation import Translator

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
        literals = [_literal(value, field.kind) for value in values]
        return f"{alias} == {literals[0]}" if len(literals) == 1 else f"{alias} in [{', '.join(literals)}]"

    def between(self, alias: str, first: int | None, last: int | None) -> str:
        parts = [] if first is None else [f"{alias} >= {first}"]
        return " and ".join(parts if last is None else [*parts, f"{alias} <= {last}"])

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
