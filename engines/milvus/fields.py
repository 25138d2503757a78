"""The fields of a collection as Milvus holds them: what an item lacks is told by a boolean field of its own.

Milvus takes null since 2.5, and a negation then does not hold for it; 2.3 compares no lengths of arrays. A boolean
means the same in every version.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engines.base import Batch, FieldKind, Schema, UnsupportedError
from engines.columns import Column, Keywords, Nullable, Tags, present

MOST_TAGS = 4096  # of an item: the largest capacity of an array


def known(alias: str) -> str:
    """The field that tells whether an item has a value of the field `alias`."""
    return f"{alias}_known"


def stored_fields(schema: Schema) -> dict[str, FieldKind]:
    """Name -> kind of every field beside id and vector."""
    fields: dict[str, FieldKind] = {}
    for field in schema.fields:
        alias = schema.aliases[field.name]
        fields[alias] = field.kind
        if field.can_lack:
            fields[known(alias)] = "boolean"
    return fields


def stored_columns(batch: Batch, schema: Schema) -> dict[str, Any]:
    """Name -> values of a batch in each of these fields: an array of numbers or booleans, a list of words or of
    lists of words. Raises UnsupportedError for an item with too many tags.
    """
    columns: dict[str, Any] = {}
    for field in schema.fields:
        alias, column = schema.aliases[field.name], batch.attributes[field.name]
        columns[alias] = _filled(column, field.name)
        if field.can_lack:
            mask = present(column)
            columns[known(alias)] = np.ones(len(batch), np.bool_) if mask is None else mask
    return columns


def _filled(column: Column, name: str) -> Any:
    match column:
        case Keywords():
            return [word or "" for word in column.decode()]
        case Tags():
            if (most := int(np.diff(column.offsets).max(initial=0))) > MOST_TAGS:
                raise UnsupportedError(
                    f"'{name}' has {most:,} tags of one item; Milvus holds {MOST_TAGS:,} at most"
                )
            return column.decode()
        case Nullable():
            return column.values
        case _:
            return column
