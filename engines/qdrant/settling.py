"""What `refresh` waits for on a Qdrant server."""

from __future__ import annotations

import time
from dataclasses import dataclass

from qdrant_client import models

from engines.base import EngineError
from engines.qdrant.control import Control

_APART_S = 0.05  # between two answers, which must agree
_LONGEST_PAUSE_S = 0.25


@dataclass(frozen=True, slots=True)
class CollectionState:
    """One answer about a collection. busy: work is under way or waiting, as far as the server reports it."""

    busy: bool
    grey: bool
    indexing_threshold: int | None
    indexed_vectors: int
    segments: int


def settle(control: Control, name: str, label: str, indexing_threshold: int) -> None:
    """Has graphs built from now on, if there are points, and returns once the optimizers have nothing left to do.

    One green status proves nothing: to answer, a server first looks for segments that are being optimized and then
    plans what there would be to do for the others, and an optimization that begins between the two is in neither. So
    two answers in a row, some time apart, must find nothing under way and the same segments and indexed vectors. Green
    means that there is nothing to merge or index; grey, after a restart, that there is, but the work has not begun.
    Raises EngineError where the collection is red or its optimizers failed.
    """
    before: CollectionState | None = None
    pause_s, announced = _APART_S, False
    while True:
        state = _state(control, name, label)
        if not announced and state.indexing_threshold != indexing_threshold and control.count(name):
            control.optimize(name, indexing_threshold)
            announced = True
            continue
        if not state.busy and state == before:
            return
        if state.grey:
            control.optimize(name)
        before = state
        time.sleep(pause_s)
        pause_s = min(_LONGEST_PAUSE_S, pause_s * 1.5) if state.busy else _APART_S


def _state(control: Control, name: str, label: str) -> CollectionState:
    info = control.info(name)
    if info is None:
        raise EngineError(f"{label} does not exist, create it first")
    status, queue = info.status, info.update_queue
    if info.optimizer_status != "ok" or status == models.CollectionStatus.RED:
        raise EngineError(f"{label} is {status.value}, optimizers: {info.optimizer_status}")
    pending = 0 if queue is None else queue.length + (queue.deferred_points or 0)
    busy = status != models.CollectionStatus.GREEN or pending > 0 or control.optimizations(name) > 0
    grey = status == models.CollectionStatus.GREY
    threshold = info.config.optimizer_config.indexing_threshold
    return CollectionState(busy, grey, threshold, info.indexed_vectors_count or 0, info.segments_count)
