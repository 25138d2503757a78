"""Attributes in Parquet files: one, or several that hold one part of the rows each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.data.user.tables.table import Table, label_of
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


def open_parquet(path: Path) -> pq.ParquetFile:
    """A Parquet file whose columns have distinct names. Raises ConfigurationError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Read page by page: otherwise even the first rows take the memory of their whole column in a group of rows.
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: the name of a column is not UTF-8 ({error}); rename it") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise ConfigurationError(f"{path}: is no intact Parquet file ({error})") from error
    repeated = [name for name, times in Counter(file.schema_arrow.names).items() if times > 1]
    if repeated:
        file.close()
        raise ConfigurationError(
            [
                f"{path}: column '{name}' occurs more than once; rename or drop all but one"
                for name in repeated
            ]
        )
    return file


def parquet_table(paths: Sequence[Path], vectors: Sequence[str] = ()) -> Table:
    """The rows of all files, file after file. Raises ConfigurationError where their columns differ.

    vectors: the columns that hold vectors.
    """
    rows: list[int] = []
    schemas: list[pa.Schema] = []
    for path in paths:
        with open_parquet(path) as file:
            rows.append(file.metadata.num_rows)
            schemas.append(file.schema_arrow)
    types = _common_types(paths, schemas)

    def read(name: str) -> pa.ChunkedArray:
        import pyarrow as pa

        parts = [_read(path, name, count) for path, count in zip(paths, rows, strict=True)]
        if len(parts) == 1:
            return parts[0]
        try:
            return pa.chunked_array(
                [chunk for part in parts for chunk in part.cast(types[name]).chunks], types[name]
            )
        except pa.ArrowInvalid as error:
            raise ConfigurationError(f"{label_of(paths)}: column '{name}': {error}") from error

    index = tuple(dict.fromkeys(name for schema in schemas for name in _index(schema) if name in types))
    return Table(label_of(paths), sum(rows), types, read, index, tuple(vectors))


def _common_types(paths: Sequence[Path], schemas: Sequence[pa.Schema]) -> Mapping[str, pa.DataType]:
    """Of each column the type that holds the values of all parts. Raises ConfigurationError."""
    import pyarrow as pa

    first, problems = schemas[0], []
    types: dict[str, pa.DataType] = {field.name: _decoded(field.type) for field in first}
    for path, schema in zip(paths[1:], schemas[1:], strict=True):
        for names, has, lacks in (
            (set(first.names) - set(schema.names), paths[0], path),
            (set(schema.names) - set(first.names), path, paths[0]),
        ):
            problems += [
                f"{lacks}: has no column '{name}', but {has.name} has; all parts need the same columns"
                for name in sorted(names)
            ]
        for name in types.keys() & set(schema.names):
            own = _decoded(schema.field(name).type)
            try:
                fields = [pa.schema([(name, kind)]) for kind in (types[name], own)]
                types[name] = pa.unify_schemas(fields, promote_options="permissive").field(0).type
            except pa.ArrowException:
                problems.append(
                    f"{path}: column '{name}' is {own}, but {types[name]} in {paths[0].name}; store one type in all "
                    "parts"
                )
    if problems:
        raise ConfigurationError(problems)
    return types


def _decoded(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _read(path: Path, name: str, rows: int) -> pa.ChunkedArray:
    import pyarrow as pa

    label = f"{path}: column '{name}'"
    try:
        with open_parquet(path) as file:
            column = file.read(columns=[name]).column(name)
        column.validate(full=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise ConfigurationError(f"{label}: cannot be read ({error})") from error
    if len(column) != rows:
        raise ConfigurationError(
            f"{label}: holds {len(column):,} values instead of {rows:,}; write the file again"
        )
    return column.cast(_decoded(column.type))


def _index(schema: pa.Schema) -> list[str]:
    """The columns that hold the index of a data frame, by what pandas notes in the file."""
    try:
        noted = json.loads((schema.metadata or {})[b"pandas"])["index_columns"]
        named = [name for name in noted if isinstance(name, str)]  # a range of numbers is no column
    except (KeyError, ValueError, TypeError):
        named = []
    return [
        *named,
        *(name for name in schema.names if name.startswith("__index_level_") and name not in named),
    ]
