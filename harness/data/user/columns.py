"""A user's attributes: Parquet columns as the harness' kinds, with every fault named by column and row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.columns import Column
from engines.values.filter_syntax import RESERVED
from engines.values.shown import shown
from harness.data.dataset import Attribute
from harness.data.manifest import UserManifest
from harness.data.user.conversion import as_column, filled, is_text, understood
from harness.errors import ConfigurationError, noting

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_SHOWN = 3  # examples of each kind of fault


@dataclass(slots=True)
class ItemColumns:
    """What a Parquet file holds besides vectors; `problems` says what could not be understood.

    sidecar: the name of the file that says more about them.
    """

    rows: int
    sidecar: str = "dataset.yaml"
    attributes: list[Attribute] = field(default_factory=list)
    columns: dict[str, Column] = field(default_factory=dict)
    ids: list[str | int] | None = None
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


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


def read_table(path: Path, manifest: UserManifest, sidecar: Path, *, skip: str | None = None) -> ItemColumns:
    """Every column but `skip`, one at a time. Raises ConfigurationError if the file is no Parquet."""
    with open_parquet(path) as file:
        schema = file.schema_arrow
        table = ItemColumns(file.metadata.num_rows, sidecar.name)
        known = [name for name in schema.names if name not in (skip, manifest.id)]
        for key, names in (("fill", manifest.fill), ("text", manifest.text)):
            table.problems += [
                f"{sidecar}: {key}: {path.name} has no column '{name}' (it has: {', '.join(known) or 'none'})"
                for name in names
                if name not in known
            ]
        for name in known:
            label = f"{path}: column '{name}'"
            if not name or name in RESERVED:
                reason = f"{', '.join(RESERVED)} are words of the filter language" if name else "has no name"
                table.problems.append(f"{label}: {reason}; rename it")
                continue
            with noting(table.problems):
                _add(table, name, _read(file, name, label), label, manifest)
        if manifest.id in schema.names:
            with noting(table.problems):
                label = f"{path}: column '{manifest.id}'"
                table.ids = _ids(_read(file, manifest.id, label), label)
        elif "id" in manifest.model_fields_set:
            table.problems.append(f"{sidecar}: id: {path.name} has no column '{manifest.id}'")
    return table


def _read(file: pq.ParquetFile, name: str, label: str) -> pa.ChunkedArray:
    import pyarrow as pa

    try:
        column = file.read(columns=[name]).column(name)
        column.validate(full=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise ConfigurationError(f"{label}: cannot be read ({error})") from error
    if len(column) != file.metadata.num_rows:
        raise ConfigurationError(
            f"{label}: holds {len(column):,} values instead of {file.metadata.num_rows:,}; write the file again"
        )
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _add(table: ItemColumns, name: str, column: pa.ChunkedArray, label: str, manifest: UserManifest) -> None:
    kind, column, note = understood(column, label)
    if name in manifest.text:
        if kind != "keyword":
            raise ConfigurationError(f"{label}: is {kind}, only strings can be text; take it out of text")
        kind = "text"
    # Known even if its values are refused, so that a filter on it is not reported as one on an unknown column.
    table.attributes.append(Attribute(name, kind, "real"))
    column = filled(column, kind, manifest.fill.get(name), label, table.sidecar)
    table.columns[name] = as_column(column, kind)
    if note:
        table.notes.append(f"{name} {note}")


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _ids(column: pa.ChunkedArray, label: str) -> list[str | int]:
    import pyarrow as pa

    if isinstance(column.type, pa.UuidType):
        column = pa.chunked_array([pa.array(list(map(_text, column.to_pylist())), pa.string())])
    if not (pa.types.is_integer(column.type) or is_text(column.type)):
        kind = column.type
        raise ConfigurationError(f"{label}: ids must be strings or integers, are {kind}")
    values: list[Any] = column.to_pylist()
    first: dict[Any, int] = {}
    repeated = [
        (value, first[value], row)
        for row, value in enumerate(values)
        if first.setdefault(value, row) != row and value is not None
    ]
    problems = []
    if None in first:
        problems.append(f"{label}: row {first[None]} has no id; every item needs one")
    if repeated:
        examples = ", ".join(
            f"{shown(value)} in rows {one} and {other}" for value, one, other in repeated[:_SHOWN]
        )
        problems.append(
            f"{label}: ids occur twice: {examples} ({len(repeated):,} in all); ids must be unique"
        )
    if problems:
        raise ConfigurationError(problems)
    return values
