"""Which column of a Parquet file holds the vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_PROBED = 1_000  # rows that are looked at


def vector_column(file: pq.ParquetFile, path: Path, wanted: str | None) -> str:
    """The column of vectors: the one called `wanted`, else the only one that may be it.

    Raises ConfigurationError.
    """
    candidates = vector_columns(file)
    listed = ", ".join(candidates)
    if not candidates:
        columns = ", ".join(file.schema_arrow.names)
        raise ConfigurationError(
            f"{path}: no column holds vectors (lists of floats or integers), it has: {columns}"
        )
    if wanted is None and len(candidates) > 1:
        remedy = f"name one in {path.with_suffix('.yaml').name}, as in 'vectors: {candidates[0]}'"
        raise ConfigurationError(f"{path}: several columns hold vectors ({listed}); {remedy}")
    if wanted is not None and wanted not in candidates:
        raise ConfigurationError(f"{path}: vectors: column '{wanted}' holds no vectors; these do: {listed}")
    return wanted or candidates[0]


def vector_columns(file: pq.ParquetFile) -> list[str]:
    """The columns that may hold vectors: lists of floats; where there are none, lists of integers or booleans, all of
    one length.
    """
    import pyarrow as pa

    is_a = pa.types
    numbers = {field.name: kind for field in file.schema_arrow if (kind := _numbers(field.type)) is not None}
    floats = [name for name, kind in numbers.items() if is_a.is_floating(kind)]
    integers = [name for name, kind in numbers.items() if is_a.is_integer(kind) or is_a.is_boolean(kind)]
    return floats or [name for name in integers if _is_even(file, name)]


def _numbers(kind: pa.DataType) -> pa.DataType | None:
    """The type of a list's values; None of what is no list."""
    import pyarrow as pa

    is_a = pa.types
    kind = getattr(kind, "storage_type", kind)  # of an extension, such as tensors of a fixed shape
    tests = (
        is_a.is_list,
        is_a.is_large_list,
        is_a.is_fixed_size_list,
        is_a.is_list_view,
        is_a.is_large_list_view,
    )
    return kind.value_type if any(test(kind) for test in tests) else None


def _is_even(file: pq.ParquetFile, name: str) -> bool:
    """Whether the first lists of a column have one length: those of tags or of ids have several."""
    import pyarrow.compute as pc

    batch = next(file.iter_batches(batch_size=_PROBED, columns=[name]), None)
    return batch is not None and len(pc.unique(pc.list_value_length(plain_lists(batch.column(0))))) == 1


def plain_lists(lists: pa.Array) -> pa.Array:
    """A column as lists with offsets, however it is stored (views of lists, tensors of a fixed shape)."""
    import pyarrow as pa

    stored = lists.storage if isinstance(lists.type, pa.BaseExtensionType) else lists
    is_view = pa.types.is_list_view(stored.type) or pa.types.is_large_list_view(stored.type)
    return stored.cast(pa.large_list(stored.type.value_type)) if is_view else stored
