"""One request while it is worked on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from service.limits.deadline import Deadline
from service.retrieval.reranking import Reranker
from service.retrieval.sources import Source
from service.retrieval.values import Request

QUEUED = "queued"
_NOBODY = np.empty(0, np.float64)


@dataclass(slots=True)
class Progress:
    """Written by the thread that works on a request, read by who waits for it; and `gone` the other way round.

    stage: which it is in, QUEUED before the first, "" between them and after the last. stages_ms: how long those took
    that are over.
    """

    gone: bool = False
    stage: str = QUEUED
    stages_ms: dict[str, float] = field(default_factory=dict)

    _began_ns: int = 0

    def within(self, stage: str) -> Self:
        """For a `with` around a stage, which may be entered several times, one after another."""
        self.stage = stage
        return self

    def __enter__(self) -> None:
        self._began_ns = time.perf_counter_ns()

    def __exit__(self, *_: object) -> None:
        took_ms = (time.perf_counter_ns() - self._began_ns) / 1e6
        self.stages_ms[self.stage] = self.stages_ms.get(self.stage, 0.0) + took_ms
        self.stage = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What the stages work with.

    can_exact: whether the source can be asked exactly; exact: whether it is from the start. until: after this no
    further candidates are looked for. prices: float64[m], of what the user took. unused: as in `Answer`.
    """

    request: Request
    source: Source
    reranker: Reranker
    exact: bool
    can_exact: bool
    until: Deadline
    progress: Progress
    prices: npt.NDArray[np.float64] = field(default_factory=lambda: _NOBODY)
    unused: Mapping[str, int] = field(default_factory=dict)
