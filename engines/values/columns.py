"""Rows and attributes for engines that have no attribute store of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.base import Batch, FieldKind, Ids, Schema, Vectors
from engines.columns import Column, Keywords, Nullable, Tags, arrays_of, column_from, words_of
from engines.filters import Filter, Mask, matches
from engines.values.growing import DTYPES, Growable, Growing, growing
from engines.values.vectors import require_vectors


def column_of(values: Sequence[Any], kind: FieldKind) -> Column:
    """Values, each of this kind or None where it is missing, as a column. Of tags each is a list of words."""
    if kind == "keyword":
        return Keywords.encode([None if value is None else str(value) for value in values])
    if kind == "tags":
        return Tags.encode([list(map(str, value or ())) for value in values])
    if None not in values:
        return np.array(values, DTYPES[kind])
    known = np.array([value is not None for value in values], np.bool_)
    return Nullable(np.array([0 if value is None else value for value in values], DTYPES[kind]), known)


class ColumnStore:
    """The rows of a collection in the order they were written, and which of them are alive.

    Rows are never moved: an upsert appends a row and the id's former one dies. Reading is safe from
    several threads, writing from one.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._ids = Growable(np.int64)
        self._live = Growable(np.bool_)
        self._columns: dict[str, Growing] = {field.name: growing(field) for field in schema.fields}
        self._row_of: dict[int, int] = {}
        self.columns: Mapping[str, Column] = {name: column.view for name, column in self._columns.items()}

    def __len__(self) -> int:
        """All rows, dead ones included."""
        return len(self._ids.view)

    @property
    def ids(self) -> Ids:
        """The item id of each row: int64[len(self)]."""
        return self._ids.view

    @property
    def count(self) -> int:
        """How many rows are alive."""
        return len(self._row_of)

    def append(self, batch: Batch) -> None:
        """Appends a batch without repeated ids (see `prepared`); former rows of the same ids die."""
        start, ids = len(self), batch.ids.tolist()
        values = {name: batch.attributes[name] for name in self._columns}  # raises before anything is written
        if not self._row_of.keys().isdisjoint(ids):
            self._live.view[[self._row_of[id_] for id_ in ids if id_ in self._row_of]] = False
        self._row_of.update(zip(ids, range(start, start + len(ids)), strict=True))
        self._ids.append(batch.ids)
        self._live.append(np.ones(len(ids), dtype=np.bool_))
        for name, column in self._columns.items():
            column.append(values[name])  # type: ignore[arg-type]
        self.columns = {name: column.view for name, column in self._columns.items()}

    def rows_of(self, ids: Ids) -> Ids:
        """The rows of the items with these ids that exist, in the order asked, each once: int64[m]."""
        rows = [self._row_of[id_] for id_ in dict.fromkeys(ids.tolist()) if id_ in self._row_of]
        return np.array(rows, dtype=np.int64)

    def delete(self, ids: Ids) -> None:
        """Removes items; absent ids are no error."""
        self._live.view[[self._row_of.pop(id_) for id_ in ids.tolist() if id_ in self._row_of]] = False

    def select(self, where: Filter | None) -> Mask | None:
        """The rows that are alive and match, as a new bool[len(self)]; None if those are all rows."""
        dead = len(self) > self.count
        if where is None:
            return self._live.view.copy() if dead else None
        mask = matches(where, self.columns, len(self))
        if dead:
            mask &= self._live.view
        return mask

    def save(self, path: Path) -> None:
        """Writes `columns.npz` and `columns.json` into a directory."""
        arrays: dict[str, npt.NDArray[Any]] = {"ids": self.ids, "live": self._live.view}
        words: dict[str, list[str]] = {}
        for position, (name, column) in enumerate(self.columns.items()):
            arrays |= {f"column{position}{part}": array for part, array in arrays_of(column).items()}
            if isinstance(column, Keywords | Tags):
                words[name] = column.vocabulary.tolist()
        np.savez(path / "columns.npz", allow_pickle=False, **arrays)
        (path / "columns.json").write_text(json.dumps(words), "utf-8")

    @classmethod
    def load(cls, path: Path, schema: Schema) -> ColumnStore:
        """Reads what `save` wrote."""
        words = json.loads((path / "columns.json").read_text("utf-8"))
        store = cls(schema)
        with np.load(path / "columns.npz", allow_pickle=False) as arrays:
            columns: dict[str, Column] = {}
            for position, field in enumerate(schema.fields):
                start = f"column{position}"
                parts = {
                    part: arrays[f"{start}{part}"]
                    for part in ("", "offsets", "present")
                    if f"{start}{part}" in arrays
                }
                known = words.get(field.name)
                columns[field.name] = column_from(parts, None if known is None else words_of(known))
            ids, live = arrays["ids"], arrays["live"]
        for name, column in store._columns.items():
            column.append(columns[name])  # type: ignore[arg-type]
        store._ids.append(ids)
        store._live.append(live)
        store._row_of = dict(zip(ids[live].tolist(), np.flatnonzero(live).tolist(), strict=True))
        store.columns = {name: column.view for name, column in store._columns.items()}
        return store


def prepared(batch: Batch, schema: Schema) -> Batch:
    """The batch with only the last row of every id, as it has to be written. The batch itself if none repeats.

    Raises EngineError for vectors of another dimension, or with numbers that are not finite.
    """
    require_vectors(batch.ids, batch.vectors, schema)
    _, first = np.unique(batch.ids[::-1], return_index=True)
    if len(first) == len(batch):
        return batch
    return batch[np.sort(len(batch) - 1 - first)]


def normalized(vectors: Vectors) -> Vectors:
    """A copy of float32[n, dim] or float32[dim] with rows of length 1; zero vectors stay zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)
