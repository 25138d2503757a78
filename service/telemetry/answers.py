"""Requests and answers, counted as they end."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Counter, Histogram

from service.retrieval.values import Answer, Took, total_ms
from service.telemetry.meters import Meters


class Answered:
    """Called on the event loop only. Values by label are kept, since looking them up takes longer than counting."""

    def __init__(self, meters: Meters) -> None:
        self._requests = meters.counter("bakeoff_requests_total")
        self._codes: dict[tuple[str, int], Counter] = {}
        self._seconds = _ByLabel(meters.histogram("bakeoff_request_seconds"))
        self._stages = _ByLabel(meters.histogram("bakeoff_stage_seconds"))
        self._modes = meters.counter("bakeoff_answers_total")
        self._fallbacks = meters.counter("bakeoff_fallbacks_total")
        self._short = meters.counter("bakeoff_short_answers_total")
        self._empty = meters.counter("bakeoff_empty_answers_total")
        self._relaxed = meters.counter("bakeoff_relaxed_total")

    def request(self, operation: str, code: int, took_s: float) -> None:
        """A request of an operation has its answer."""
        self.code(operation, code)
        self._seconds[operation].observe(took_s)

    def code(self, operation: str, code: int) -> None:
        """A request was answered, whose time says nothing."""
        found = self._codes.get((operation, code))
        if found is None:
            found = self._codes[operation, code] = self._requests.labels(operation, str(code))
        found.inc()

    def answer(self, answer: Answer, stages: Iterable[Took]) -> None:
        """A question was answered, in these stages."""
        for stage, took_ms in total_ms(stages).items():
            self._stages[stage].observe(took_ms / 1000)
        self._modes.labels(answer.mode).inc()
        if answer.fallback:
            self._fallbacks.labels(answer.fallback).inc()
        if answer.short:
            self._short.labels(answer.short).inc()
        if not answer.hits:
            self._empty.inc()
        if answer.relaxed:
            self._relaxed.inc()


class _ByLabel(dict[str, Histogram]):
    """The histograms of a metric by the value of its one label."""

    def __init__(self, metric: Histogram) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, label: str) -> Histogram:
        self[label] = found = self._metric.labels(label)
        return found
