"""Which column of a Parquet file holds the vectors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.data.user.conversion import is_text, listed
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_PROBED = 1_000  # rows that are looked at


def vector_column(file: pq.ParquetFile, path: Path, wanted: str | None) -> str:
    """The column of vectors: the one called `wanted`, else the only one that may be it.

    Raises ConfigurationError.
    """
    if wanted is not None and wanted in file.schema_arrow.names and _may_hold_vectors(file, path, wanted):
        return wanted
    candidates = vector_columns(file, path)
    listed = ", ".join(candidates)
    if not candidates:
        columns = ", ".join(file.schema_arrow.names)
        raise ConfigurationError(
            f"{path}: no column holds vectors (lists of numbers, all of one length), it has: {columns}"
        )
    if wanted is not None:
        raise ConfigurationError(f"{path}: vectors: column '{wanted}' holds no vectors; these do: {listed}")
    if len(candidates) > 1:
        raise ConfigurationError(
            f"{path}: several columns hold vectors ({listed}); name one, as in ':vectors={candidates[0]}' (in the "
            f"manifest 'vectors: {candidates[0]}'); queries are taken from a column of the same name"
        )
    return candidates[0]


def vector_columns(file: pq.ParquetFile, path: Path) -> list[str]:
    """The columns that may hold vectors: lists of floats; where there are none, lists of integers or booleans that are
    all of one length; where there are none either, strings that are lists of numbers in JSON.

    Raises ConfigurationError where the values that tell cannot be read.
    """
    import pyarrow as pa

    kinds = {field.name: listed(field.type) for field in file.schema_arrow}
    floats = [name for name, kind in kinds.items() if kind is not None and pa.types.is_floating(kind)]
    lists, texts = (
        [name for name, kind in kinds.items() if (kind is None) == is_none] for is_none in (False, True)
    )
    return (
        floats
        or [name for name in lists if _may_hold_vectors(file, path, name)]
        or [name for name in texts if _may_hold_vectors(file, path, name)]
    )


def _may_hold_vectors(file: pq.ParquetFile, path: Path, name: str) -> bool:
    """By the column's type, and where others have that type by its first rows."""
    import pyarrow as pa

    kind = file.schema_arrow.field(name).type
    numbers = listed(kind)
    if numbers is not None and pa.types.is_floating(numbers):
        return True
    tells: Callable[[pa.Array], bool] | None
    if numbers is None:
        tells = _is_json if is_text(kind) else None
    else:
        tells = _is_even if pa.types.is_integer(numbers) or pa.types.is_boolean(numbers) else None
    if tells is None:
        return False
    try:
        batch = next(file.iter_batches(batch_size=_PROBED, columns=[name]), None)
        return batch is not None and tells(batch.column(0))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: column '{name}': cannot be read ({error})") from error


def _is_even(lists: pa.Array) -> bool:
    """Whether all have one length: those of tags or of ids have several."""
    import pyarrow.compute as pc

    return len(pc.unique(pc.list_value_length(plain_lists(lists)))) == 1


def _is_json(texts: pa.Array) -> bool:
    """Whether the first of the texts is a list of numbers."""
    values = texts.drop_null()[:1].to_pylist()
    if not values or not values[0].lstrip().startswith("["):
        return False
    try:
        numbers = json.loads(values[0])
    except (ValueError, RecursionError):
        return False
    return bool(numbers) and all(isinstance(number, int | float) for number in numbers)


def plain_lists(lists: pa.Array) -> pa.Array:
    """A column as lists with offsets, however it is stored (views of lists, tensors of a fixed shape)."""
    import pyarrow as pa

    stored = lists.storage if isinstance(lists.type, pa.BaseExtensionType) else lists
    is_view = pa.types.is_list_view(stored.type) or pa.types.is_large_list_view(stored.type)
    return stored.cast(pa.large_list(stored.type.value_type)) if is_view else stored
