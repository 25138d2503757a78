"""What routes tell things to, and what `/metrics` is read from."""

from __future__ import annotations

from service.retrieval.values import Answer
from service.telemetry.answers import Answered
from service.telemetry.freshness import Freshness
from service.telemetry.meters import Meters
from service.telemetry.standing import Standing, Watched

ADMISSION = "admission"  # the stage before a question has a place


class Telemetry:
    """One for each process, closed before what it watches."""

    def __init__(self, watched: Watched) -> None:
        self._meters = Meters()
        self._answered = Answered(self._meters)
        self._standing = Standing(self._meters, watched)
        self.freshness = Freshness(self._meters.histogram("bakeoff_searchable_seconds").observe)

    def ended(self, operation: str, code: int, took_s: float) -> None:
        """A request of an operation has its answer."""
        self._answered.request(operation, code, took_s)

    def refused(self, code: int) -> None:
        """A request asked for what is no operation."""
        self._answered.code("none", code)

    def rate_limited(self, key: str) -> None:
        """The holder of the key with this name asked too often."""
        self._meters.counter("bakeoff_rate_limited_total").labels(key).inc()

    def answered(self, answer: Answer, admission_ms: float) -> None:
        """A question was answered, after so long a wait for its place."""
        self._answered.answer(answer, {ADMISSION: admission_ms} | answer.stages_ms)

    def text(self) -> bytes:
        """Every metric, for Prometheus. Blocks."""
        self._standing.read()
        return self._meters.text()

    def close(self) -> None:
        """A second call does nothing."""
        self._standing.close()
