"""Traces: spans of a request and its stages, made once it has its answer and sent to a collector by OTLP over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from service.retrieval.values import Took
from service.telemetry.requests.asked import Asked

_PATH = "/v1/traces"  # where collectors listen, unless the setting says otherwise
_SENT_WITHIN_S = 5.0


class Spans:
    """Called on the event loop only; sending is done by a thread, and what it cannot send is logged by the library."""

    def __init__(self, endpoint: str, version: str, engine: str) -> None:
        """endpoint: the collector's URL."""
        self._ids, self._engine = _Ids(), engine
        url = endpoint if urlsplit(endpoint).path.strip("/") else endpoint.rstrip("/") + _PATH
        exporter = OTLPSpanExporter(endpoint=url, timeout=_SENT_WITHIN_S)
        resource = Resource.create({"service.name": "bakeoff", "service.version": version})
        self._provider = TracerProvider(id_generator=self._ids, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("bakeoff.service")

    def ended(self, asked: Asked, operation: str, code: int, ended_ns: int) -> None:
        """Sends the spans of a request, if it is sampled."""
        if not asked.sampled:
            return
        offset_ns = time.time_ns() - time.perf_counter_ns()  # to the clock of the world
        self._ids.trace_id = int(asked.trace_id, 16)
        began_ns = asked.began_ns + offset_ns
        root = self._tracer.start_span(operation, _caller(asked), SpanKind.SERVER, start_time=began_ns)
        root.set_attribute("http.response.status_code", code)
        root.set_attribute("bakeoff.request_id", asked.id)
        if code >= 500:
            root.set_status(Status(StatusCode.ERROR))
        if asked.question is not None and asked.answer is not None:
            root.set_attribute("bakeoff.k", asked.question.k)
            root.set_attribute("bakeoff.mode", asked.answer.mode)
            root.set_attribute("bakeoff.variant", asked.answer.variant)
            root.set_attribute("bakeoff.engine", self._engine)
            root.set_attribute("bakeoff.fallback", asked.answer.fallback)
        self._stages(asked.stages, root, offset_ns)
        root.end(ended_ns + offset_ns)

    def _stages(self, stages: Iterable[Took], root: Span, offset_ns: int) -> None:
        """A span for each run of a stage, within that of the stage that it was part of."""
        open_ = [_Open(root, float("inf"))]
        for one in sorted(stages, key=lambda one: (one.began_ns, -one.took_ns)):
            until_ns = one.began_ns + one.took_ns
            while until_ns > open_[-1].until_ns:
                open_.pop()
            within = set_span_in_context(open_[-1].span, Context())
            span = self._tracer.start_span(one.stage, within, start_time=one.began_ns + offset_ns)
            span.end(until_ns + offset_ns)
            open_.append(_Open(span, until_ns))

    def close(self) -> None:
        """Sends what is left, for as long as a collector that answers needs."""
        self._provider.shutdown()


@dataclass(frozen=True, slots=True)
class _Open:
    span: Span
    until_ns: float


class _Ids(RandomIdGenerator):
    """Gives a trace the id that its request has had from the start."""

    trace_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id


def _caller(asked: Asked) -> Context:
    """The caller's span, whose trace goes on; or none."""
    if asked.parent_id is None:
        return Context()
    caller = SpanContext(
        int(asked.trace_id, 16), int(asked.parent_id, 16), is_remote=True, trace_flags=TraceFlags(1)
    )
    return set_span_in_context(NonRecordingSpan(caller), Context())
