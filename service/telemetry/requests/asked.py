"""A request while it is worked on, and its place in a trace (W3C Trace Context, level 1)."""

from __future__ import annotations

import random
import re
import secrets
import time
from contextvars import ContextVar
from dataclasses import dataclass, field

from service.retrieval.values import Answer, Request, Took

ADMISSION = "admission"  # the stage before a question has a place
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(slots=True)
class Asked:
    """id, trace_id: hex digits, by which a request is found in logs and traces. parent_id: of the caller's span.

    sampled: whether spans of it are sent. began_ns: by `time.perf_counter_ns`. question, answer, admission: filled in
    as they come about, the last being the wait for a place.
    """

    id: str
    trace_id: str
    parent_id: str | None = None
    sampled: bool = False
    began_ns: int = field(default_factory=time.perf_counter_ns)
    question: Request | None = None
    answer: Answer | None = None
    admission: Took | None = None

    def answered(self, question: Request, answer: Answer, placed_ns: int, arrived_ns: int) -> None:
        """What was asked and answered; it had a place at placed_ns, having arrived at arrived_ns."""
        self.question, self.answer = question, answer
        self.admission = Took(ADMISSION, arrived_ns, placed_ns - arrived_ns)

    @property
    def stages(self) -> tuple[Took, ...]:
        """Of its answer, the wait before it included; none where there is no answer."""
        if self.answer is None or self.admission is None:
            return ()
        return (self.admission, *self.answer.stages)


NOW: ContextVar[Asked | None] = ContextVar("asked", default=None)  # the request that this code runs for


def begun(traceparent: str, share: float) -> Asked:
    """A request that begins now. traceparent: the header, "" without; its caller decides whether it is sampled.

    share: of the others, how many are. A header of another form is as none, as the standard has it.
    """
    id_ = secrets.token_hex(8)
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found is None or not int(found[1], 16) or not int(found[2], 16):
        return Asked(id_, f"{random.getrandbits(128) or 1:032x}", None, random.random() < share)
    return Asked(id_, found[1], found[2], bool(int(found[3], 16) & 1))
