"""How much of what is nearest the index really finds, by asking some questions again exactly."""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Protocol

import numpy as np

from engines.abilities import FullText
from engines.base import Capabilities, Hits, Vectors
from engines.filters import Filter
from service.retrieval.sources import Index
from service.telemetry.meters import Meters

log = logging.getLogger(__name__)
_LAST = 500  # questions that the gauge rests on
_REST = 50  # times as long as a question took is it rested afterwards, so that it costs the engine 2 % of one caller
_SAME = 1e-6  # relative difference of scores that are the same but for rounding


class Searchable(FullText, Index, Protocol):
    """What may stand behind `Sampled`."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A question that was answered approximately."""

    vector: Vectors
    k: int
    where: Filter | None
    hits: Hits


class Sampled:
    """An index before another, whose approximate answers it offers to be judged, some of them.

    share: how many. offer: takes them; set by who judges, and called by the threads that ask.
    """

    def __init__(self, index: Searchable, share: float) -> None:
        self.index = index
        self.offer: Callable[[Taken], None] | None = None
        self._share = share if index.capabilities.exact else 0.0

    @property
    def capabilities(self) -> Capabilities:
        """Those of the index behind it."""
        return self.index.capabilities

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        """As the index behind it."""
        hits = self.index.query(vector, k, where, exact=exact)
        if self._share and not exact and self.offer is not None and random.random() < self._share:
            self.offer(Taken(vector, k, where, hits))
        return hits

    def match(self, text: str, k: int, where: Filter | None = None) -> Hits:
        """As the index behind it."""
        return self.index.match(text, k, where)


class OnlineRecall:
    """Judges one question at a time, in a thread of its own; those that come meanwhile, or while it rests, are dropped.

    busy: whether the service has other things to do. It does not wait for a question's request, but asks the engine as
    any other caller does: an exact question keeps a processor busy for as long as it takes.
    """

    def __init__(
        self, meters: Meters, sampled: Sampled, engine: str, busy: Callable[[], bool], rest: float = _REST
    ) -> None:
        self._index, self._busy, self._rest = sampled.index, busy, rest
        self._recall = meters.gauge("bakeoff_online_recall")
        self._samples = meters.gauge("bakeoff_online_recall_samples")
        self._found = meters.counter("bakeoff_online_recall_found_total")
        self._sought = meters.counter("bakeoff_online_recall_sought_total")
        self._dropped = meters.counter("bakeoff_online_recall_dropped_total")
        self._engine = engine
        self._last: deque[float] = deque(maxlen=_LAST)
        self._free = Lock()  # taken with a question, given back once that is judged and rested from
        self._taken: SimpleQueue[Taken | None] = SimpleQueue()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="telemetry-recall", daemon=True)
        self._thread.start()
        sampled.offer = self.offer

    def offer(self, taken: Taken) -> None:
        """Judges it some time soon, or drops it."""
        if self._busy():
            self._dropped.labels("busy").inc()
        elif self._free.acquire(blocking=False):
            self._taken.put(taken)
        else:
            self._dropped.labels("resting").inc()

    def close(self) -> None:
        """Ends after the question under way; a second call does nothing."""
        self._stopping.set()
        self._taken.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (taken := self._taken.get()) is not None:
            began = time.monotonic()
            try:
                exact = self._index.query(taken.vector, taken.k, taken.where, exact=True)
            except Exception as error:  # noqa: BLE001 - adapters raise what their client raises
                self._dropped.labels("failed").inc()
                log.warning("recall could not be judged: %s: %s", type(error).__name__, error)
            else:
                self._judged(taken.hits, exact)
            self._stopping.wait(self._rest * (time.monotonic() - began))
            self._free.release()

    def _judged(self, hits: Hits, exact: Hits) -> None:
        sought = len(exact.ids)
        if not sought:
            return  # nothing matches, and nothing can be missed
        found = found_of(hits, exact)
        self._found.inc(found)
        self._sought.inc(sought)
        self._last.append(found / sought)
        self._recall.labels(self._engine).set(sum(self._last) / len(self._last))
        self._samples.set(len(self._last))


def found_of(hits: Hits, exact: Hits) -> int:
    """How many of the exact hits are among the others; one as good as the last of them stands for it."""
    nearest = set(_ids(exact))
    last = float(exact.scores[len(exact.ids) - 1])
    scores = np.asarray(hits.scores, np.float64).tolist()
    found = [
        id_
        for id_, score in zip(_ids(hits), scores, strict=True)
        if id_ in nearest or abs(score - last) <= _SAME * abs(last)
    ]
    return min(len(found), len(nearest))


def _ids(hits: Hits) -> Sequence[int]:
    ids: list[int] = np.asarray(hits.ids, np.int64).tolist()
    return ids
