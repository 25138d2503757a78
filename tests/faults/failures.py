"""Engines that fail, cannot be read, remember answers or keep stale items, one planted fault each."""

from __future__ import annotations

import ctypes
import os
import time
from dataclasses import replace
from typing import Any

import numpy as np

from engines.base import Batch, Hits
from engines.bruteforce.adapter import BruteForce
from engines.filters import Filter
from tests.faults.answers import Sound

# Failures under load


class FailsAtTimes(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        if self.spoilt():
            raise RuntimeError("<script>alert(1)</script> out of luck")
        return self.right(vector, k, where)


class OutOfMemory(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        raise MemoryError


class StallsNowAndThen(Sound):
    """Stands still for 200 ms once in a while."""

    last = 0.0

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        now = time.perf_counter()
        if now - self.last > 0.25:
            time.sleep(0.2)
            self.last = time.perf_counter()
        return self.right(vector, k, where)


class DiesUnderLoad(Sound):
    asked = 0

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        self.asked += 1
        if self.asked == 50:
            ctypes.string_at(0)
        return self.right(vector, k, where)


class LeavesUnderLoad(Sound):
    asked = 0

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        self.asked += 1
        if self.asked == 50:
            os._exit(0)
        return self.right(vector, k, where)


class ExitsUnderLoad(Sound):
    asked = 0

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        self.asked += 1
        if self.asked == 50:
            raise SystemExit(3)
        return self.right(vector, k, where)


# Answers that cannot be read


class IdsAreFractions(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        return Hits(np.asarray(hits.ids) + np.float32(0.5), hits.scores)  # type: ignore[arg-type]


class IdsAreTexts(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        return Hits([str(id_) for id_ in hits.ids], hits.scores)  # type: ignore[arg-type, misc]


class NoHitsAtAll(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return Hits(None, None)  # type: ignore[arg-type]


class NothingReturned(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return None  # type: ignore[return-value]


# Writes


class DeletesNotDone(Sound):
    """Deletes are acknowledged and counted, and the items stay."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.gone: set[int] = set()

    def delete(self, ids: Any) -> None:
        self.gone |= set(map(int, ids))

    def index(self, batch: Batch) -> None:
        super().index(batch)
        self.gone -= set(map(int, batch.ids))

    def count(self) -> int:
        return super().count() - len(self.gone)


class UpdatesKeepTheVector(Sound):
    def index(self, batch: Batch) -> None:
        kept = self.__dict__.setdefault("kept", {})
        vectors = batch.vectors.copy()
        for row, id_ in enumerate(batch.ids.tolist()):
            vectors[row] = kept.setdefault(id_, vectors[row].copy())
        super().index(replace(batch, vectors=vectors))


class UpdatesKeepTheAttributes(Sound):
    loaded: Batch | None = None

    def index(self, batch: Batch) -> None:
        if self.loaded is None:
            self.loaded = batch
            super().index(batch)
        else:
            old = {name: column[batch.ids] for name, column in self.loaded.attributes.items()}
            super().index(replace(batch, attributes=old))


class UpdatesLost(Sound):
    """Every fifth item of an update is dropped."""

    def index(self, batch: Batch) -> None:
        if self.count() and len(batch) > 1:
            batch = batch[np.flatnonzero(batch.ids % 5 != 0)]
        super().index(batch)


class UpdatesSeenLate(Sound):
    """Updates are searchable a second after they were acknowledged, whether `refresh` has returned or not."""

    def index(self, batch: Batch) -> None:
        if not self.count():
            super().index(batch)
        else:
            self.__dict__.setdefault("late", []).append((time.monotonic() + 1.0, batch))

    def right(self, vector: Any, k: int, where: Filter | None) -> Hits:
        late = self.__dict__.get("late", [])
        while late and late[0][0] < time.monotonic():
            BruteForce.index(self, late.pop(0)[1])
        return super().right(vector, k, where)


class CountsOneTooMany(Sound):
    def count(self) -> int:
        return super().count() + 1


class ItemsLeftOut(Sound):
    """Every twentieth item is not indexed, and counted all the same."""

    left_out = 0

    def index(self, batch: Batch) -> None:
        kept = np.flatnonzero(batch.ids % 20 != 0)
        if not super().count():
            self.left_out = len(batch) - len(kept)
            batch = batch[kept]
        super().index(batch)

    def count(self) -> int:
        return super().count() + self.left_out


class RefreshFails(Sound):
    def refresh(self) -> None:
        raise RuntimeError("refresh failed")


class RefreshFailsAfterUpdates(Sound):
    done = 0

    def refresh(self) -> None:
        self.done += 1
        if self.done > 1:
            raise RuntimeError("refresh failed")
        super().refresh()


# Remembered answers


class AnswersRemembered(Sound):
    """A new query takes 2 ms, a repeated one nothing."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        known = self.__dict__.setdefault("known", {})
        key = (vector.tobytes(), where, k)
        if key not in known:
            time.sleep(0.002)
            known[key] = self.right(vector, k, where)
        hits: Hits = known[key]
        return hits

    def index(self, batch: Batch) -> None:
        self.known: dict[Any, Hits] = {}
        super().index(batch)

    def delete(self, ids: Any) -> None:
        self.known = {}
        super().delete(ids)


class AnswersRememberedAcrossWrites(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        known = self.__dict__.setdefault("known", {})
        key = (vector.tobytes(), where, k)
        if key not in known:
            known[key] = self.right(vector, k, where)
        hits: Hits = known[key]
        return hits
