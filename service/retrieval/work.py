"""One request while it is worked on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from service.limits.deadline import Deadline
from service.retrieval.reranking import Reranker
from service.retrieval.sources import Source
from service.retrieval.values import Request, Took

QUEUED = "queued"
_NOBODY = np.empty(0, np.float64)


@dataclass(slots=True)
class Progress:
    """Written by the thread that works on a request, read by who waits for it; and `gone` the other way round.

    stage: which it is in, QUEUED before the first, "" between them and after the last. stages: those that are over, of
    which the first is the time QUEUED. since_ns: when the one began that it is in.
    """

    gone: bool = False
    stage: str = QUEUED
    stages: list[Took] = field(default_factory=list)
    since_ns: int = field(default_factory=time.perf_counter_ns)

    def within(self, stage: str) -> _Within:
        """For a `with` around a stage, which may be entered several times, and may hold others."""
        return _Within(self, stage)

    def so_far(self) -> tuple[Took, ...]:
        """The stages that are over, and the one that it is in, up to now."""
        stages, stage, now_ns = tuple(self.stages), self.stage, time.perf_counter_ns()
        return (*stages, Took(stage, self.since_ns, now_ns - self.since_ns)) if stage else stages


@dataclass(slots=True)
class _Within:
    progress: Progress
    stage: str
    outer: str = ""
    outer_since_ns: int = 0

    def __enter__(self) -> None:
        progress, now_ns = self.progress, time.perf_counter_ns()
        if progress.stage == QUEUED:
            progress.stages.append(Took(QUEUED, progress.since_ns, now_ns - progress.since_ns))
            progress.stage = ""
        self.outer, self.outer_since_ns = progress.stage, progress.since_ns
        progress.stage, progress.since_ns = self.stage, now_ns

    def __exit__(self, *_: object) -> None:
        progress = self.progress
        took_ns = time.perf_counter_ns() - progress.since_ns
        progress.stages.append(Took(self.stage, progress.since_ns, took_ns))
        progress.stage, progress.since_ns = self.outer, self.outer_since_ns


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
