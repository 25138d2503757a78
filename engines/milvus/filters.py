"""Filters as Milvus expressions. Milvus Lite ignores expression templates, so values are written out."""

from __future__ import annotations

from collections.abc import Sequence

from engines.base import FieldKind, Schema, Value
from engines.filters import INT64, And, Eq, Filter, In, Or, Range, integer_interval

EVERYTHING, NOTHING = "id >= 0", "id < 0"  # ids are never negative
_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
# All that the lexer of a quoted string treats specially.
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


def translate(where: Filter, schema: Schema) -> str:
    """The same filter as an expression over the fields' aliases."""
    match where:
        case Eq(name, value):
            return _one_of(name, (value,), schema)
        case In(name, values):
            return _one_of(name, values, schema)
        case Range():
            return _range(where, schema)
        case And(filters):
            return " and ".join(f"({translate(inner, schema)})" for inner in filters) or EVERYTHING
        case Or(filters):
            return " or ".join(f"({translate(inner, schema)})" for inner in filters) or NOTHING
        case _:  # only Not is left
            return f"not ({translate(where.filter, schema)})"


def _field(name: str, schema: Schema) -> tuple[str, FieldKind]:
    field = schema.field(name)
    if field is None:
        raise KeyError(name)
    return schema.aliases[name], field.kind


def _one_of(name: str, values: Sequence[Value], schema: Schema) -> str:
    alias, kind = _field(name, schema)
    literals = [_literal(value, kind) for value in values]
    if not literals:
        return NOTHING
    return f"{alias} == {literals[0]}" if len(literals) == 1 else f"{alias} in [{', '.join(literals)}]"


def _literal(value: Value, kind: FieldKind) -> str:
    if kind == "keyword":
        return f'"{str(value).translate(_ESCAPES)}"'
    if kind == "boolean":
        return "true" if value else "false"
    return repr(float(value)) if kind == "float" else repr(int(value))


def _range(bounds: Range, schema: Schema) -> str:
    alias, kind = _field(bounds.field, schema)
    if kind == "integer":
        interval = integer_interval(bounds)
        if interval is None:
            return NOTHING
        first, last = interval
        parts = [f"{alias} >= {first}"] if first > INT64[0] else []
        parts += [f"{alias} <= {last}"] if last < INT64[1] else []
        return " and ".join(parts) or EVERYTHING
    given = {sign: getattr(bounds, name) for name, sign in _SIGNS.items()}
    parts = [f"{alias} {sign} {float(bound)!r}" for sign, bound in given.items() if bound is not None]
    return " and ".join(parts)
