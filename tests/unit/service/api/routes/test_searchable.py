"""Who waits until a write is searchable keeps a thread no longer than anybody waits for the answer."""

from __future__ import annotations

import asyncio
from threading import Event
from types import SimpleNamespace
from typing import Any

from service.api.routes.waiting import searchable_by
from service.limits.deadline import Deadline
from service.limits.threads import Threads


def test_the_wait_for_a_thread_is_a_part_of_the_time() -> None:
    now_s, waited_s, free = [0.0], list[float](), Event()

    def wait(_seq: int, timeout_s: float) -> bool:
        waited_s.append(timeout_s)
        return True

    async def asked() -> bool:
        deadline = Deadline.after(0.0, 10.0)
        threads = Threads("waiting", 1, 1, lambda: now_s[0])
        parts: Any = SimpleNamespace(
            clock=lambda: now_s[0], index=SimpleNamespace(wait=wait), waiting=threads
        )
        first = asyncio.create_task(threads.run(deadline, free.wait))
        second = asyncio.create_task(searchable_by(parts, deadline, 1))
        await asyncio.sleep(0)
        now_s[0] = 9.0
        free.set()
        await first
        found = await second
        threads.close()
        return found

    assert asyncio.run(asked())
    assert waited_s == [1.0]
