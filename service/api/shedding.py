"""Questions for which there is no place, turned away from their heads alone: a service that is asked for several times
of what it can answer would otherwise do nothing but say so.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable

from service.api.http.problems import MEDIA_TYPE, ProblemError
from service.api.parts import Parts
from service.limits.gate import OverloadedError

_QUESTIONS = {(b"POST", b"/v1/recommendations"): "recommend", (b"POST", b"/v1/search"): "search"}
_SIMILAR = re.compile(rb"/v1/listings/[^/]+/similar")
log = logging.getLogger(__name__)


class Shedding:
    """Says no on the event loop. Keys are not looked at: that there is no place is nobody's secret."""

    def __init__(self, parts: Parts) -> None:
        self._gate, self._telemetry = parts.gate, parts.telemetry

    def answer(self, method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
        """The whole answer, as it is sent, to a question that is turned away; None for every other request."""
        path = target.partition(b"?")[0]
        name = _QUESTIONS.get((method, path))
        if name is None and method == b"GET" and _SIMILAR.fullmatch(path):
            name = "similar"
        if name is None or not self._gate.turns_away():
            return None
        asked, error = self._telemetry.begun(headers), OverloadedError()
        if self._gate.tells():
            log.error("%s: 503 %s; %d in all", name, error, self._gate.shed)
        response = ProblemError("overloaded", str(error)).response(
            request_id=asked.id, trace_id=asked.trace_id
        )
        self._telemetry.ended(asked, name, response.status_code, time.perf_counter_ns())
        head = (
            f"HTTP/1.1 503 Service Unavailable\r\ncontent-type: {MEDIA_TYPE}\r\nretry-after: {error.retry_after_s}\r\n"
            f"x-request-id: {asked.id}\r\ncontent-length: {len(response.body)}\r\n"
        )
        return head.encode() + b"\r\n" + bytes(response.body)
