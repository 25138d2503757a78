"""Engines that are right where they are checked and wrong where they are used, one planted fault each."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from engines.base import Batch, Hits
from engines.filters import Filter
from tests.faults.answers import Sound


class Amiss(Sound):
    """Answers for another query where `amiss`, with the scores of that query."""

    def amiss(self) -> bool:
        raise NotImplementedError

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return self.right(vector + 1.0 if self.amiss() else vector, k, where)


class WrongInOtherThreads(Amiss):
    def amiss(self) -> bool:
        return threading.current_thread() is not threading.main_thread()


class WrongAfterAPause(Amiss):
    """When nothing was asked for 3 ms."""

    last = 0.0

    def amiss(self) -> bool:
        now = time.perf_counter()
        paused, self.last = now - self.last > 0.003, now
        return paused


class WrongWithoutAPause(Amiss):
    """Within 1 ms of the query before."""

    last = 0.0

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = super().answer(vector, k, where)
        self.last = time.perf_counter()
        return hits

    def amiss(self) -> bool:
        return time.perf_counter() - self.last < 0.001


class WrongOnceInFifty(Amiss):
    asked = 0

    def amiss(self) -> bool:
        self.asked += 1
        return self.asked % 50 == 0


class FirstQueryFails(Sound):
    """After every change of settings."""

    fresh = False

    def configure(self, search: Any) -> None:
        self.fresh = True

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        if self.fresh:
            self.fresh = False
            raise RuntimeError("not warm yet")
        return self.right(vector, k, where)


class FirstQueryOfAllFails(Sound):
    asked = 0

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        self.asked += 1
        if self.asked == 1:
            raise RuntimeError("not ready yet")
        return self.right(vector, k, where)


class RememberedByFilter(Sound):
    """Takes the filter for the query."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        known = self.__dict__.setdefault("known", {})
        if where is None:
            return self.right(vector, k, where)
        return known.setdefault(where, self.right(vector, k, where))  # type: ignore[no-any-return]


class RememberedByRounding(Sound):
    """Takes queries for equal whose first numbers have the same whole part."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        known = self.__dict__.setdefault("known", {})
        key = (np.trunc(vector[:2]).tobytes(), where, k)
        return known.setdefault(key, self.right(vector, k, where))  # type: ignore[no-any-return]


class Slow(Sound):
    """Correct; a search takes 2 ms."""

    def right(self, vector: Any, k: int, where: Filter | None) -> Hits:
        time.sleep(0.002)
        return super().right(vector, k, where)


class RememberedWhenAskedTwice(Slow):
    """Takes an answer into its cache when it is asked for the second time."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.forget()

    def forget(self) -> None:
        self.known: dict[Any, Hits] = {}
        self.seen: set[Any] = set()

    def index(self, batch: Batch) -> None:
        super().index(batch)
        self.forget()

    def delete(self, ids: Any) -> None:
        super().delete(ids)
        self.forget()

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        key = (vector.tobytes(), where)
        if key in self.known:
            return self.known[key]
        hits = self.right(vector, k, where)
        if key in self.seen:
            self.known[key] = hits
        self.seen.add(key)
        return hits
