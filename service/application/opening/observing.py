"""What is observed of the parts of the service, as the settings have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.settings.model import Settings
from service.telemetry.recall import Sampled
from service.telemetry.requests.slow import SlowLog
from service.telemetry.standing import Watched
from service.telemetry.telemetry import Telemetry


def observing(settings: Settings, watched: Watched, search: Mapping[str, Any], sampled: Sampled) -> Telemetry:
    """search: the parameters of the engine's searches. sampled: stands before the index."""
    wanted, engine = settings.telemetry, watched.engine
    slow = SlowLog(wanted.slow_ms or settings.deadline_ms / 2, engine, search)
    spans = None
    if wanted.otlp:  # only then, for OpenTelemetry takes a tenth of a second to import
        from service.telemetry.requests.spans import Spans

        spans = Spans(wanted.otlp, watched.version, engine)
    return Telemetry(watched, slow, spans, wanted.trace_share, sampled)
