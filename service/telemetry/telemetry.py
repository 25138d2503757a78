"""What routes tell things to, and what `/metrics` is read from."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from service.telemetry.answers import Answered
from service.telemetry.freshness import Freshness
from service.telemetry.meters import Meters
from service.telemetry.recall import OnlineRecall, Sampled
from service.telemetry.requests.asked import Asked, begun
from service.telemetry.requests.slow import SlowLog
from service.telemetry.standing import Standing, Watched

if TYPE_CHECKING:
    from service.telemetry.requests.spans import Spans


class Telemetry:
    """One for each process, closed before what it watches. What is told to it comes from the event loop.

    spans: None where traces go nowhere; trace_share: of the requests without a trace of their own, how many are traced.
    sampled: what stands before the index.
    """

    def __init__(
        self, watched: Watched, slow: SlowLog, spans: Spans | None, trace_share: float, sampled: Sampled
    ) -> None:
        self._meters = Meters()
        self._answered = Answered(self._meters)
        self._standing = Standing(self._meters, watched)
        self._slow, self._spans = slow, spans
        self._recall = OnlineRecall(self._meters, sampled, watched.engine, watched.busy)
        self._share = 0.0 if spans is None else trace_share
        ingested = self._meters.histogram("bakeoff_ingest_searchable_seconds")
        # Records of a topic bear the times at which they were made.
        self.ingested_freshness = Freshness(ingested.observe, time.time, most=1000)
        self.freshness = Freshness(self._meters.histogram("bakeoff_searchable_seconds").observe)

    def begun(self, headers: Iterable[tuple[bytes, bytes]]) -> Asked:
        """A request comes in. headers: as ASGI has them."""
        traceparent = next((value for name, value in headers if name == b"traceparent"), b"")
        return begun(traceparent.decode("latin-1"), self._share)

    def ended(self, asked: Asked, operation: str, code: int, ended_ns: int) -> None:
        """A request of an operation has its answer, at this time of `time.perf_counter_ns`."""
        took_ns = ended_ns - asked.began_ns
        self._answered.request(operation, code, took_ns / 1e9)
        if asked.answer is not None:
            self._answered.answer(asked.answer, asked.stages)
            self._slow.ended(asked, operation, took_ns / 1e6)
        if self._spans is not None:
            self._spans.ended(asked, operation, code, ended_ns)

    def refused(self, code: int) -> None:
        """A request asked for what is no operation."""
        self._answered.code("none", code)

    def failed_lines(self, operation: str, count: int) -> None:
        """Lines of a bulk call failed. Called from any thread."""
        self._meters.counter("bakeoff_failed_lines_total").labels(operation).inc(count)

    def rate_limited(self, key: str) -> None:
        """The holder of the key with this name asked too often."""
        self._meters.counter("bakeoff_rate_limited_total").labels(key).inc()

    def text(self) -> bytes:
        """Every metric, for Prometheus. Blocks."""
        self._standing.read()
        return self._meters.text()

    def close(self) -> None:
        """Sends and tells what is left; a second call does nothing."""
        self._recall.close()
        self._standing.close()
        self._slow.close()
        if self._spans is not None:
            self._spans.close()
