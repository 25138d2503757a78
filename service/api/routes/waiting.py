"""Writes in threads, and how long a request waits for them and until they are searchable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from service.api.http.problems import ProblemError
from service.api.parts import Parts
from service.limits.deadline import Deadline
from service.limits.gate import OverloadedError

_Result = TypeVar("_Result")


async def written_by(
    parts: Parts, deadline: Deadline, write: Callable[..., _Result], *arguments: Any
) -> _Result:
    """What a write in a thread returns. Raises ProblemError where it takes too long."""
    try:
        return await parts.writing.run(deadline, write, *arguments)
    except TimeoutError:
        detail = (
            "the write took too long and may be made yet; repeat it, which changes nothing where it was made"
        )
        raise ProblemError("deadline", detail) from None


async def searchable_by(parts: Parts, deadline: Deadline, seq: int) -> bool:
    """Whether a write that is done became searchable by the deadline."""

    def wait() -> bool:
        return parts.index.wait(seq, deadline.left_s(parts.clock()))  # what is left once there is a thread

    try:
        return await parts.waiting.run(deadline, wait)
    except (TimeoutError, OverloadedError):
        return False
