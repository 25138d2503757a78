"""Rows and attributes for engines that have no attribute store of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.base import Batch, Column, FieldKind, Ids, Keywords, Schema, Value, Vectors
from engines.filters import Filter, Mask, matches
from engines.values.vectors import require_vectors

_DTYPES: dict[FieldKind, Any] = {"integer": np.int64, "float": np.float64, "boolean": np.bool_}


def column_of(values: Sequence[Value], kind: FieldKind) -> Column:
    """Values, each of this kind, as a column."""
    if kind == "keyword":
        return Keywords.encode([str(value) for value in values])
    return np.array(values, _DTYPES[kind])


class Growable:
    """An array that grows at its end in amortised constant time."""

    __slots__ = ("_data", "_size")

    def __init__(self, dtype: Any, width: int | None = None) -> None:
        """width: the length of a row; None makes the array one-dimensional."""
        self._data = np.empty((0,) if width is None else (0, width), dtype)
        self._size = 0

    @property
    def view(self) -> npt.NDArray[Any]:
        """What has been appended so far; shares memory."""
        return self._data[: self._size]

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Copies `rows` to the end. Raises ValueError for rows of another width."""
        if rows.shape[1:] != self._data.shape[1:]:
            raise ValueError(f"rows of shape {rows.shape[1:]} do not fit into {self._data.shape[1:]}")
        size = self._size + len(rows)
        if size > len(self._data):
            # Half as much again, not twice: the vectors of an index are most of the memory in use.
            grown = np.empty((max(size, len(self._data) * 3 // 2), *self._data.shape[1:]), self._data.dtype)
            grown[: self._size] = self.view
            self._data = grown
        self._data[self._size : size] = rows
        self._size = size


class _KeywordColumn:
    """A keyword column that grows batch by batch, with one vocabulary for all of them."""

    def __init__(self) -> None:
        self.codes = Growable(np.int32)
        self.vocabulary = Growable(object)
        self.index: dict[str, int] = {}

    def append(self, column: Keywords) -> None:
        codes = np.full(len(column.vocabulary), -1, np.int32)  # the batch's codes -> ours
        new = []
        for code in np.unique(column.codes).tolist():
            word = column.vocabulary[code]
            if word not in self.index:
                self.index[word] = len(self.index)
                new.append(word)
            codes[code] = self.index[word]
        words = np.empty(len(new), dtype=object)
        words[:] = new
        self.vocabulary.append(words)
        self.codes.append(codes[column.codes])

    @property
    def view(self) -> Keywords:
        return Keywords(self.codes.view, self.vocabulary.view, [self.index])


class ColumnStore:
    """The rows of a collection in the order they were written, and which of them are alive.

    Rows are never moved: an upsert appends a row and the id's former one dies. Reading is safe from
    several threads, writing from one.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._ids = Growable(np.int64)
        self._live = Growable(np.bool_)
        self._columns: dict[str, _KeywordColumn | Growable] = {
            field.name: _KeywordColumn() if field.kind == "keyword" else Growable(_DTYPES[field.kind])
            for field in schema.fields
        }
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
            arrays[f"column{position}"] = column.codes if isinstance(column, Keywords) else column
            if isinstance(column, Keywords):
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
                values = arrays[f"column{position}"]
                if field.kind == "keyword":
                    vocabulary = np.empty(len(words[field.name]), dtype=object)
                    vocabulary[:] = words[field.name]
                    columns[field.name] = Keywords(values, vocabulary)
                else:
                    columns[field.name] = values
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
