"""Engines that lose acknowledged writes, or that fail before or after the measurement, one planted fault each."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

import numpy as np

from engines.base import Batch, Capabilities, Schema
from tests.faults.answers import Sound


class Kept(Sound):
    """Correct, and keeps every acknowledged write."""

    capabilities = Capabilities(thread_safe=True, persistent=True, multi_process=True, durable=True)

    def keep(self) -> None:
        super().refresh()
        with self.file.open("rb") as file:
            os.fsync(file.fileno())

    def create(self, schema: Schema) -> None:
        super().create(schema)
        self.keep()

    def index(self, batch: Batch) -> None:
        super().index(batch)
        self.keep()

    def delete(self, ids: Any) -> None:
        super().delete(ids)
        self.keep()

    def refresh(self) -> None:
        pass

    def close(self) -> None:
        pass


class LastWriteLost(Kept):
    """Acknowledges a write and makes it last with the next one."""

    def index(self, batch: Batch) -> None:
        if self.count():
            self.keep()
        Sound.index(self, batch)


class DeletesNotKept(Kept):
    def delete(self, ids: Any) -> None:
        Sound.delete(self, ids)


class UpdatesNotKept(Kept):
    """Keeps the first version of every item."""

    def create(self, schema: Schema) -> None:
        self.first = Sound(self.file.parent, None)
        self.first.create(schema)
        super().create(schema)

    def keep(self) -> None:
        self.first.refresh()

    def index(self, batch: Batch) -> None:
        self.first.index(batch[np.flatnonzero(~np.isin(batch.ids, self.get(batch.ids).ids))])
        super().index(batch)

    def delete(self, ids: Any) -> None:
        self.first.delete(ids)
        super().delete(ids)


class OpensEmpty(Kept):
    def open(self, schema: Schema) -> None:
        self.create(schema)


class AttributesNotKept(Kept):
    """After opening every item has the attributes of the first."""

    def open(self, schema: Schema) -> None:
        super().open(schema)
        held = self.get(self._store.ids[self._store._live.view])
        first = np.zeros(len(held), dtype=np.int64)
        self._store.append(
            replace(held, attributes={name: column[first] for name, column in held.attributes.items()})
        )
        self._vectors.append(held.vectors)
        self._squares.append(np.einsum("ij,ij->i", held.vectors, held.vectors))


# Around the measurement


class FailsToClose(Kept):
    def close(self) -> None:
        if self.file.parent.name == self.file.parent.parent.name:  # not a collection that is opened again
            raise RuntimeError("cannot be closed")


class HangsWhenClosed(Kept):
    def close(self) -> None:
        if self.file.parent.name == self.file.parent.parent.name:
            time.sleep(3600)
