"""Writes in threads, and how long a request waits for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from service.api.http.problems import ProblemError
from service.api.parts import Parts
from service.limits.deadline import Deadline

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
