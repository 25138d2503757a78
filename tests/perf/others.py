"""Two ways an open loop is commonly written, to be measured beside ours."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from time import perf_counter_ns

import numpy as np
import numpy.typing as npt

from tests.perf.stall import ANSWER, StallEngine

Int64 = npt.NDArray[np.int64]
_LEAD_NS = 200_000_000


def threads_from_send(port: int, offsets_ns: Int64, workers: int) -> tuple[Int64, Int64, Int64]:
    """A dispatcher feeds a pool of `workers` threads through a queue; each takes the time from its own send.

    Returns (scheduled, sent, done), int64[n] each; such tools report done - sent.
    """
    n = len(offsets_ns)
    sent, done = [0] * n, [0] * n
    engine, tasks = StallEngine(port), queue.SimpleQueue[int]()

    def work() -> None:
        while (turn := tasks.get()) >= 0:
            sent[turn] = perf_counter_ns()
            engine.query(None, 10)
            done[turn] = perf_counter_ns()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    scheduled = perf_counter_ns() + _LEAD_NS + offsets_ns
    for turn, due_ns in enumerate(scheduled.tolist()):
        time.sleep(max(0, due_ns - perf_counter_ns()) / 1e9)
        tasks.put(turn)
    for _ in threads:
        tasks.put(-1)
    for thread in threads:
        thread.join()
    engine.close()
    return scheduled, np.array(sent), np.array(done)


def asyncio_client(port: int, offsets_ns: Int64, connections: int) -> tuple[Int64, Int64, Int64]:
    """An asyncio client: one task a request, timed from the schedule, streams from a pool.

    Returns (scheduled, sent, done), int64[n] each.
    """
    return asyncio.run(_asyncio_client(port, offsets_ns, connections))


async def _asyncio_client(port: int, offsets_ns: Int64, connections: int) -> tuple[Int64, Int64, Int64]:
    n = len(offsets_ns)
    sent, done = [0] * n, [0] * n
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    for stream in streams:
        free.put_nowait(stream)

    async def request(turn: int) -> None:
        reader, writer = await free.get()
        sent[turn] = perf_counter_ns()
        writer.write(b"a query\0")
        await reader.readexactly(ANSWER.size)
        done[turn] = perf_counter_ns()
        free.put_nowait((reader, writer))

    scheduled = perf_counter_ns() + _LEAD_NS + offsets_ns
    async with asyncio.TaskGroup() as group:
        for turn, due_ns in enumerate(scheduled.tolist()):
            await asyncio.sleep(max(0, due_ns - perf_counter_ns()) / 1e9)
            group.create_task(request(turn))
    for _, writer in streams:
        writer.close()
        await writer.wait_closed()
    return scheduled, np.array(sent), np.array(done)
