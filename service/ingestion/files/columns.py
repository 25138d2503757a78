"""A Parquet file's columns beside the catalogue's fields: a file of the wrong form is refused whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engines.meant import meant
from harness.data.user.conversion import is_text
from service.catalogue.schema import VECTOR, CatalogueSchema
from service.writing.carrying import Operation

if TYPE_CHECKING:
    import pyarrow as pa

_WANTED = {
    "keyword": "text",
    "tags": "lists of text",
    "boolean": "booleans",
    "integer": "whole numbers",
    "float": "numbers",
}


def problems_of(
    columns: pa.Schema, schema: CatalogueSchema, operation: Operation, *, encodes: bool
) -> list[str]:
    """What does not fit, each with the column and what it must be. encodes: whether vectors may be left out."""
    kinds = {field.name: _WANTED[field.kind] for field in schema.engine.fields}
    kinds |= dict.fromkeys(schema.details, "text") | {VECTOR: "vectors"}
    ours = {"id": "text or whole numbers", "version": "whole numbers"}
    known = ours if operation == "remove" else kinds | ours
    problems = []
    for column in columns:
        wanted = known.get(column.name)
        if wanted is None:
            hint = meant(column.name, known) or f"known are: {', '.join(known)}"
            what = "is not taken by a removal" if column.name in kinds else "is no field of the catalogue"
            problems.append(f"column '{column.name}' {what} ({hint}); rename it or write the file without it")
        elif not _fits(column.type, wanted, schema.engine.dim):
            dim = f" of {schema.engine.dim} numbers" if wanted == "vectors" else ""
            problems.append(
                f"column '{column.name}' is of type {column.type} and must hold {wanted}{dim}; convert it"
            )
    required = ["id"]
    if operation == "put":
        required += [*schema.required_fields, *schema.required, *([] if encodes else [VECTOR])]
    problems += [f"column '{name}' is missing; add it" for name in required if name not in columns.names]
    return problems


def _fits(kind: pa.DataType, wanted: str, dim: int) -> bool:
    import pyarrow as pa

    is_a = pa.types
    if is_a.is_dictionary(kind):
        kind = kind.value_type
    integer = is_a.is_integer(kind)
    number = integer or is_a.is_floating(kind) or is_a.is_decimal(kind)
    listed = is_a.is_list(kind) or is_a.is_large_list(kind) or is_a.is_fixed_size_list(kind)
    match wanted:
        case "vectors":
            if not listed or (is_a.is_fixed_size_list(kind) and kind.list_size != dim):
                return False
            return bool(is_a.is_integer(kind.value_type) or is_a.is_floating(kind.value_type))
        case "lists of text":
            fits = listed and _fits(kind.value_type, "text", dim)
        case "text":
            fits = is_text(kind)
        case "text or whole numbers":
            fits = is_text(kind) or integer
        case "booleans":
            fits = is_a.is_boolean(kind)
        case "whole numbers":
            fits = integer
        case _:
            fits = number
    return bool(fits or is_a.is_null(kind))
