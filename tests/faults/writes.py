"""Engines that lose writes, take them back or change what they are given, one planted fault each."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engines.base import Batch, Hits
from engines.bruteforce.adapter import BruteForce
from engines.filters import Filter
from tests.faults.answers import Sound

# Lost and late


class SingleUpsertsLost(Sound):
    """Takes batches only."""

    def index(self, batch: Batch) -> None:
        if len(batch) > 1:
            super().index(batch)


class SingleDeletesLost(Sound):
    gone = 0

    def delete(self, ids: Any) -> None:
        if len(ids) == 1:
            self.gone += 1
        else:
            super().delete(ids)

    def index(self, batch: Batch) -> None:
        if len(batch) == 1 and self.count():
            self.gone -= 1
        super().index(batch)

    def count(self) -> int:
        return super().count() - max(0, self.gone)


class OneUpdateOfManyLost(Sound):
    """Keeps the old version of one item in thirty."""

    def index(self, batch: Batch) -> None:
        if self.count() and len(batch) > 1:
            batch = batch[np.flatnonzero(batch.ids % 30 != 7)]
        super().index(batch)


class LastOfEveryBatchLost(Sound):
    def index(self, batch: Batch) -> None:
        super().index(batch[:-1] if self.count() and len(batch) > 1 else batch)


class DeletedComesBack(Sound):
    """Half a second after a delete the items are there again, and are not counted."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.back: list[tuple[float, Batch]] = []
        self.uncounted = 0

    def delete(self, ids: Any) -> None:
        if len(ids) > 1:
            self.back.append((time.monotonic() + 0.5, self.get(ids)))
        super().delete(ids)

    def right(self, vector: Any, k: int, where: Filter | None) -> Hits:
        while self.back and self.back[0][0] < time.monotonic():
            batch = self.back.pop(0)[1]
            BruteForce.index(self, batch)
            self.uncounted += len(batch)
        return super().right(vector, k, where)

    def count(self) -> int:
        return super().count() - self.uncounted


class DeletesTheNeighbourToo(Sound):
    """Deletes the item with the next id as well, and counts it all the same."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.lost: set[int] = set()

    def delete(self, ids: Any) -> None:
        self.lost -= set(ids.tolist())
        if len(ids) > 1:
            there = self.get(np.setdiff1d(ids + 1, ids)).ids
            self.lost |= set(there.tolist())
            super().delete(there)
        super().delete(ids)

    def index(self, batch: Batch) -> None:
        self.lost -= set(batch.ids.tolist())
        super().index(batch)

    def count(self) -> int:
        return super().count() + len(self.lost)


class OldVersionStays(Sound):
    """An update adds the new version and keeps the old one."""

    def index(self, batch: Batch) -> None:
        if not self.count():
            self.first = batch
            self.old = BruteForce(Path(), None)  # type: ignore[arg-type]
            self.old.create(self._store.schema)
            self.old.index(batch)
        super().index(batch)

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        new, old = self.right(vector, k, where), self.old.query(vector, k, where)
        kept = np.isin(old.ids, self._store.ids[self._store._live.view])
        scores = np.concatenate([new.scores, np.asarray(old.scores)[kept]])
        ids = np.concatenate([new.ids, np.asarray(old.ids)[kept]])
        _, first = np.unique(ids, return_index=True)
        order = first[np.argsort(scores[first], kind="stable")][:k]
        return Hits(ids[order], scores[order])


class OneColumnKept(Sound):
    """An update replaces everything but the column `price`."""

    def index(self, batch: Batch) -> None:
        if self.count() and "price" in batch.attributes:
            old = self.get(batch.ids)
            if len(old) == len(batch):
                batch = replace(batch, attributes={**batch.attributes, "price": old.attributes["price"]})
        super().index(batch)


class ColumnsSwapped(Sound):
    """Two columns of the same kind change places."""

    def index(self, batch: Batch) -> None:
        columns = dict(batch.attributes)
        if {"price", "rank"} <= columns.keys():
            columns["price"], columns["rank"] = columns["rank"], columns["price"]
        super().index(replace(batch, attributes=columns))


# What it is given


class IdsChangedInPlace(Sound):
    """Sets the ids that it is given to one and the same, once it has copied them; loses every third update."""

    def index(self, batch: Batch) -> None:
        held = batch[np.arange(len(batch))]
        if self.count():
            held = batch[np.flatnonzero(batch.ids % 3 != 0)]
        super().index(held)
        batch.ids[:] = batch.ids[0]


class DeletedIdsChangedInPlace(Sound):
    def delete(self, ids: Any) -> None:
        super().delete(ids.copy()[ids % 3 != 0] if len(ids) > 1 else ids.copy())
        self.lost = self.__dict__.get("lost", 0) + (int(np.sum(ids % 3 == 0)) if len(ids) > 1 else 0)
        ids[:] = ids[0]

    def count(self) -> int:
        return super().count() - self.__dict__.get("lost", 0)
