"""Answers that took long, and where they spent the time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from engines.values.filter_syntax import to_json
from service.retrieval.values import total_ms
from service.telemetry.requests.asked import Asked

log = logging.getLogger(__name__)
_A_SECOND = 5  # lines at most: under overload all are slow, and the first say as much as all of them


class SlowLog:
    """Called on the event loop only. engine: as it was asked, with its name and the parameters of its searches."""

    def __init__(
        self,
        longest_ms: float,
        engine: str,
        search: Mapping[str, Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._longest_ms, self._engine, self._search, self._clock = longest_ms, engine, dict(search), clock
        self._second, self._told, self._left_out = 0, 0, 0

    def ended(self, asked: Asked, operation: str, took_ms: float) -> None:
        """A question has its answer."""
        if took_ms < self._longest_ms or asked.question is None or asked.answer is None:
            return
        second = int(self._clock())
        if second != self._second:
            self._second, self._told = second, 0
        if self._told == _A_SECOND:
            self._left_out += 1
            return
        self._told += 1
        self._tell(asked, operation, took_ms)

    def close(self) -> None:
        """Tells how many were left out since the last line."""
        if self._left_out:
            log.warning("%d more slow answers were left out of this log", self._left_out)
            self._left_out = 0

    def _tell(self, asked: Asked, operation: str, took_ms: float) -> None:
        question, answer = asked.question, asked.answer
        assert question is not None
        assert answer is not None
        stages = {stage: round(ms, 1) for stage, ms in total_ms(asked.stages).items()}
        told: dict[str, Any] = {
            "operation": operation,
            "took_ms": round(took_ms, 1),
            "stages_ms": stages,
            "where": to_json(question.where),
            "k": question.k,
            "mode": answer.mode,
            "variant": answer.variant,
            "fallback": answer.fallback,
            "engine": self._engine,
            "search": self._search,
            "left_out": self._left_out,
        }
        self._left_out = 0
        log.warning("slow answer", extra=told)
