"""Waiting for a place, and for a thread, in asyncio."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from service.limits.adaptive import AdaptiveLimit, LimitOptions
from service.limits.deadline import Deadline
from service.limits.gate import Gate, OverloadedError
from service.limits.threads import Threads


def soon(seconds: float = 30.0) -> Deadline:
    return Deadline.after(time.monotonic(), seconds)


class Held:
    """A place that is held until it is let go."""

    def __init__(self, gate: Gate) -> None:
        self.gate, self.began, self.go = gate, asyncio.Event(), asyncio.Event()

    async def hold(self, deadline: Deadline | None = None) -> None:
        async with self.gate.place(deadline or soon()):
            self.began.set()
            await self.go.wait()


def gate_of(**options: float) -> Gate:
    return Gate(AdaptiveLimit(LimitOptions(**{"first": 1, "most": 1, "patience_s": 30.0, **options})))  # type: ignore[arg-type]


def test_a_place_goes_from_one_to_the_next() -> None:
    async def scene() -> None:
        gate = gate_of()
        first, second = Held(gate), Held(gate)
        tasks = [asyncio.create_task(held.hold()) for held in (first, second)]
        await first.began.wait()
        await asyncio.sleep(0)
        assert not second.began.is_set()
        first.go.set()
        await second.began.wait()
        second.go.set()
        await asyncio.gather(*tasks)
        assert (gate.limit.busy, gate.limit.waiting, gate.shed, gate.gone) == (0, 0, 0, 0)

    asyncio.run(scene())


def test_what_is_shed_has_not_begun() -> None:
    async def scene() -> None:
        gate = gate_of(queue=0)
        first, second = Held(gate), Held(gate)
        task = asyncio.create_task(first.hold())
        await first.began.wait()
        with pytest.raises(OverloadedError, match="ask again in 1 s"):
            await second.hold()
        assert not second.began.is_set()
        assert gate.shed == 1
        first.go.set()
        await task

    asyncio.run(scene())


@pytest.mark.parametrize(("patience_s", "deadline_s"), [(0.01, 30.0), (30.0, 0.01)])
def test_waiting_ends_with_patience_or_with_the_deadline(patience_s: float, deadline_s: float) -> None:
    async def scene() -> None:
        gate = gate_of(patience_s=patience_s)
        first, second = Held(gate), Held(gate)
        task = asyncio.create_task(first.hold())
        await first.began.wait()
        with pytest.raises(OverloadedError):
            await asyncio.wait_for(second.hold(soon(deadline_s)), 20)
        assert gate.limit.waiting == 0
        first.go.set()
        await task

    asyncio.run(scene())


@pytest.mark.parametrize("order", ["cancelled first", "placed first"])
def test_a_client_that_goes_while_it_waits_takes_no_place(order: str) -> None:
    async def scene() -> None:
        gate = gate_of()
        first, gone, third = Held(gate), Held(gate), Held(gate)
        tasks = [asyncio.create_task(held.hold()) for held in (first, gone, third)]
        await first.began.wait()
        await asyncio.sleep(0)
        if order == "cancelled first":
            tasks[1].cancel()
            first.go.set()
        else:
            first.go.set()
            await asyncio.sleep(0)  # `first` ends, and hands its place to `gone`, which has not run yet
            tasks[1].cancel()
        await asyncio.wait_for(third.began.wait(), 20)
        third.go.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not gone.began.is_set()
        assert (gate.limit.busy, gate.limit.waiting, gate.gone) == (0, 0, 1)

    asyncio.run(scene())


def test_work_that_raises_gives_its_place_back() -> None:
    async def scene() -> None:
        gate = gate_of()
        with pytest.raises(KeyError):
            async with gate.place(soon()):
                raise KeyError
        assert gate.limit.busy == 0

    asyncio.run(scene())


class Blocked:
    """Threads with a call that has taken the only one."""

    def __init__(self, queue: int = 8) -> None:
        self.threads = Threads("test", 1, queue)
        self.began, self.go = threading.Event(), threading.Event()

    def block(self) -> str:
        self.began.set()
        assert self.go.wait(30)
        return "done"

    async def start(self) -> asyncio.Task[str]:
        task = asyncio.create_task(self.threads.run(soon(), self.block))
        await asyncio.to_thread(self.began.wait, 30)
        return task


@pytest.mark.parametrize("how", ["gone", "late"])
def test_a_call_that_has_not_begun_never_begins_for_a_request_that_is_gone(how: str) -> None:
    async def scene() -> None:
        blocked, calls = Blocked(), []
        task = await blocked.start()
        waiting = asyncio.create_task(
            blocked.threads.run(soon(0.01 if how == "late" else 30), calls.append, "unwanted")
        )
        await asyncio.sleep(0)
        if how == "gone":
            waiting.cancel()
        with pytest.raises(TimeoutError if how == "late" else asyncio.CancelledError):
            await waiting
        wanted = asyncio.create_task(blocked.threads.run(soon(), calls.append, "wanted"))
        await asyncio.sleep(0)
        blocked.go.set()
        await wanted
        assert await task == "done"
        assert calls == ["wanted"]
        blocked.threads.close()

    asyncio.run(scene())


def test_the_loop_goes_on_while_a_call_blocks_and_its_late_answer_is_dropped() -> None:
    async def scene() -> None:
        blocked = Blocked()
        with pytest.raises(TimeoutError):
            await blocked.threads.run(soon(0.01), blocked.block)
        blocked.go.set()
        assert await blocked.threads.run(soon(), lambda: 7) == 7
        blocked.threads.close()

    asyncio.run(scene())


def test_no_more_calls_wait_than_may() -> None:
    async def scene() -> None:
        blocked = Blocked(queue=1)
        tasks = [await blocked.start(), asyncio.create_task(blocked.threads.run(soon(), int))]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await blocked.threads.run(soon(), int)
        blocked.go.set()
        assert await asyncio.gather(*tasks) == ["done", 0]
        assert await blocked.threads.run(soon(), int) == 0
        blocked.threads.close()

    asyncio.run(scene())


def test_nothing_begins_after_the_deadline() -> None:
    async def scene() -> None:
        threads, calls = Threads("test", 1, 1), []
        with pytest.raises(TimeoutError):
            await threads.run(soon(0), calls.append, 1)
        threads.close()
        assert calls == []

    asyncio.run(scene())


def test_an_error_of_the_call_is_the_callers() -> None:
    async def scene() -> None:
        threads = Threads("test", 1, 1)
        with pytest.raises(ZeroDivisionError):
            await threads.run(soon(), lambda: 1 // 0)
        threads.close()

    asyncio.run(scene())


def test_closing_waits_for_what_has_begun_and_begins_nothing_else() -> None:
    async def scene() -> None:
        blocked, calls = Blocked(), []
        task = await blocked.start()
        waiting = asyncio.create_task(blocked.threads.run(soon(), calls.append, "unwanted"))
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(blocked.threads.close))
        with pytest.raises(asyncio.CancelledError):
            await waiting
        done, _ = await asyncio.wait({closing}, timeout=0.1)
        assert not done
        blocked.go.set()
        await closing
        assert await task == "done"
        assert calls == []
        with pytest.raises(RuntimeError, match="closed"):
            await blocked.threads.run(soon(), int)

    asyncio.run(scene())


def test_as_many_calls_run_at_once_as_there_are_threads() -> None:
    async def scene() -> None:
        threads, both = Threads("test", 2, 8), threading.Barrier(2)
        for _ in range(2):  # those that are there already serve as well as those that are started
            await asyncio.gather(*(threads.run(soon(), both.wait, 30) for _ in range(2)))
        assert len({await threads.run(soon(), threading.get_ident) for _ in range(20)}) <= 2
        threads.close()

    asyncio.run(scene())
