"""A user's attributes: the columns of their tables as the harness' kinds, with every fault named by column and row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engines.columns import Column, Keywords, present
from engines.meant import choices
from engines.values.filter_syntax import RESERVED
from harness.data.dataset import Attribute
from harness.data.manifest import UserManifest
from harness.data.user.conversion import as_column, filled, understood
from harness.data.user.separated import hint_at_tags, split
from harness.data.user.tables.ids import order_by, read_ids
from harness.data.user.tables.table import Table
from harness.data.user.vectors.matrix import Matrix
from harness.errors import ConfigurationError, noting

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(slots=True)
class ItemColumns:
    """What the tables say of the items; `problems` says what could not be understood.

    sidecar: the name of the file that says more about them.
    """

    sidecar: str = "dataset.yaml"
    attributes: list[Attribute] = field(default_factory=list)
    columns: dict[str, Column] = field(default_factory=dict)
    ids: list[str | int] | None = None
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_columns(
    tables: Sequence[Table], manifest: UserManifest, sidecar: Path, vectors: Matrix | None
) -> ItemColumns:
    """Every column that the manifest does not leave out, one at a time.

    The rows of one table belong to those of the other by their ids where both have some; else row i of each belongs
    to vector i.
    """
    items = ItemColumns(sidecar.name)
    named = {table.label: _named(items, table, manifest) for table in tables}
    _check_names(items, tables, named, manifest, sidecar)
    ids: pa.ChunkedArray | None = None
    first: Table | None = None  # the one that has them
    for table in tables:
        own, order, is_joined = None, None, False
        with noting(items.problems):
            own = _own_ids(items, table, manifest)
            if own is not None and ids is not None and first is not None:
                is_joined = True
                order = order_by(ids, own, table.label, first.label)
                if table.rows > len(ids):
                    items.notes.append(
                        f"not used: {table.rows - len(ids):,} rows of {Path(table.label).name}, whose ids are no items'"
                    )
        if not is_joined and vectors is not None and table.rows != vectors.rows:
            items.problems.append(
                f"{table.label}: has {table.rows:,} rows, but {vectors.label} has {vectors.rows:,}; "
                "row i of one belongs to row i of the other"
            )
        elif table is not tables[0] and (own is None) != (ids is None):
            items.notes.append(
                f"{Path(table.label).name}: row i belongs to row i of {Path(tables[0].label).name}, for only one of "
                f"them has a column '{manifest.id}'"
            )
        if ids is None:
            ids, first = own, table
        for name in named[table.label]:
            with noting(items.problems):
                column = table.read(name)
                _add(
                    items, name, column if order is None else column.take(order), table.place(name), manifest
                )
    items.ids = None if ids is None else ids.to_pylist()
    return items


def _named(items: ItemColumns, table: Table, manifest: UserManifest) -> list[str]:
    """The columns of a table that become attributes."""
    known = [
        name
        for name in table.types
        if name not in (manifest.id, *table.vectors, *table.index) and _is_chosen(name, manifest)
    ]
    for name in known:
        if not name or name in RESERVED:
            reason = f"{', '.join(RESERVED)} are words of the filter language" if name else "has no name"
            items.problems.append(f"{table.place(name)}: {reason}; rename it")
    return [name for name in known if name and name not in RESERVED]


def _is_chosen(name: str, manifest: UserManifest) -> bool:
    return name not in manifest.exclude and (manifest.columns is None or name in manifest.columns)


def _check_names(
    items: ItemColumns,
    tables: Sequence[Table],
    named: dict[str, list[str]],
    manifest: UserManifest,
    sidecar: Path,
) -> None:
    """Notes the names in the manifest that are no columns, and columns that several tables have."""
    where = " and ".join(Path(table.label).name for table in tables)
    held = [name for table in tables for name in table.types if name not in table.vectors]
    used = [name for names in named.values() for name in names]
    source = f"{sidecar}: " if sidecar.exists() else ""  # else the keys stand behind the data set's name
    for key, names, known in (
        ("fill", manifest.fill, used),
        ("text", manifest.text, used),
        ("tags", manifest.tags, used),
        ("columns", manifest.columns or (), held),
        ("exclude", manifest.exclude, held),
    ):
        items.problems += [
            f"{source}{key}: {where} has no column '{name}' ({choices(name, known, 'it has')})"
            for name in names
            if name not in known
        ]
    if "id" in manifest.model_fields_set and not any(manifest.id in table.types for table in tables):
        items.problems.append(f"{source}id: {where} has no column '{manifest.id}'")
    items.problems += [
        f"{where}: both have a column '{name}'; rename or drop one of them"
        for name in dict.fromkeys(used)
        if used.count(name) > 1
    ]


def _own_ids(items: ItemColumns, table: Table, manifest: UserManifest) -> pa.ChunkedArray | None:
    """The ids in a table: its column of them, else the index of the data frame that it was, where that can be one."""
    if manifest.id in table.types and manifest.id not in manifest.exclude:
        return read_ids(table, manifest.id)
    for name in table.index:
        if len(table.index) == 1 and "id" not in manifest.model_fields_set:
            try:
                ids = read_ids(table, name)
            except ConfigurationError:
                pass  # an index need not be unique
            else:
                items.notes.append(
                    f"{Path(table.label).name}: the ids are the index of its data frame ('{name}')"
                )
                return ids
        items.notes.append(f"not used: {Path(table.label).name}: the index of its data frame ('{name}')")
    return None


def _add(items: ItemColumns, name: str, column: pa.ChunkedArray, label: str, manifest: UserManifest) -> None:
    import pyarrow as pa

    if pa.types.is_null(column.type):
        items.notes.append(f"not used: column '{name}', which has no values")
        return
    kind, column, note = understood(column, label)
    if name in manifest.tags:
        if kind != "keyword":
            raise ConfigurationError(f"{label}: is {kind}, only strings can be split; take it out of tags")
        kind, column = "tags", split(column, manifest.tags[name])
    if name in manifest.text:
        if kind != "keyword":
            raise ConfigurationError(f"{label}: is {kind}, only strings can be text; take it out of text")
        kind = "text"
    # Known even if its values are refused, so that a filter on it is not reported as one on an unknown column.
    items.attributes.append(Attribute(name, kind, "real"))
    column = filled(column, kind, manifest.fill.get(name), label, items.sidecar)
    values = items.columns[name] = as_column(column, kind)
    items.attributes[-1] = Attribute(name, kind, "real", optional=present(values) is not None)
    if isinstance(values, Keywords) and kind == "keyword":
        note = hint_at_tags(name, values.vocabulary)
    if note:
        items.notes.append(f"{name} {note}")
