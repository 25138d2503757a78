"""Questions over HTTP from another process: as fast as they are answered, or at due times whatever becomes of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any
from urllib.parse import urlsplit

import httptools
import numpy as np
import numpy.typing as npt
import uvloop

# due, sent, done: ns after the start. status 0: the connection broke, or nobody answered in time. fallback: the answer
# was made of popular listings.
ANSWER = np.dtype(
    [("due_ns", "i8"), ("sent_ns", "i8"), ("done_ns", "i8"), ("status", "i2"), ("fallback", "?")]
)
Answers = npt.NDArray[Any]


def closed(url: str, bodies: Sequence[Any], connections: int, seconds: float) -> Answers:
    """Each connection asks again as soon as it is answered."""
    return _apart(_run, url, _requests(url, bodies), None, connections, seconds)


def offered(
    url: str, bodies: Sequence[Any], due_ns: npt.NDArray[np.int64], connections: int, wait_s: float
) -> Answers:
    """A question at each due time, in order, whichever connection is free; wait_s: for answers after the last one."""
    return _apart(_run, url, _requests(url, bodies), due_ns, connections, wait_s)


def _apart(function: Callable[..., Answers], *arguments: Any) -> Answers:
    with ProcessPoolExecutor(1, get_context("spawn")) as processes:
        return processes.submit(function, *arguments).result()


def _requests(url: str, bodies: Sequence[Any]) -> list[bytes]:
    parts = urlsplit(url)
    made = []
    for body in bodies:
        content = json.dumps(body).encode()
        head = (
            f"POST /v1/recommendations HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(content)}\r\n\r\n"
        )
        made.append(head.encode() + content)
    return made


def _run(
    url: str,
    requests: Sequence[bytes],
    due_ns: npt.NDArray[np.int64] | None,
    connections: int,
    seconds: float,
) -> Answers:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Load(url, requests).run(due_ns, connections, seconds))


class _Load:
    def __init__(self, url: str, requests: Sequence[bytes]) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.requests = parts.hostname, parts.port, requests
        self.rows: list[tuple[int, int, int, int, bool]] = []
        # The one that has been idle longest comes first: a service closes what is idle for seconds.
        self.free: deque[_Connection] = deque()
        self.waiting: deque[int] = deque()  # due times of questions for which there was no connection
        self.closed_until_ns = 0  # of a closed loop
        self.start_ns = 0
        self.asked = 0
        self.left = asyncio.Event()

    def now_ns(self) -> int:
        return time.perf_counter_ns() - self.start_ns

    async def run(self, due_ns: npt.NDArray[np.int64] | None, connections: int, seconds: float) -> Answers:
        loop = asyncio.get_running_loop()
        opened = [
            (await loop.create_connection(lambda: _Connection(self), self.host, self.port))[1]
            for _ in range(connections)
        ]
        self.start_ns = time.perf_counter_ns()
        if due_ns is None:
            self.closed_until_ns = int(seconds * 1e9)
            for one in opened:
                one.ask(self.now_ns())
            await asyncio.sleep(seconds)
        else:
            self.free = deque(one for one in opened if not one.lost)
            for due in due_ns.tolist():
                if (early_ns := due - self.now_ns()) > 0:
                    await asyncio.sleep(early_ns / 1e9)
                if self.free:
                    self.free.popleft().ask(due)
                else:
                    self.waiting.append(due)
            end_s = time.monotonic() + seconds
            while (self.waiting or any(one.busy for one in opened)) and time.monotonic() < end_s:
                await asyncio.sleep(0.005)
            now_ns = self.now_ns()
            for one in opened:
                if one.busy:
                    self.rows.append((one.due_ns, one.sent_ns, now_ns, 0, False))
            self.rows += [(due, now_ns, now_ns, 0, False) for due in self.waiting]
        for one in opened:
            one.transport.abort()
        return np.array(self.rows, ANSWER)

    def next_for(self, connection: _Connection) -> None:
        if self.closed_until_ns:
            if (now_ns := self.now_ns()) < self.closed_until_ns:
                connection.ask(now_ns)
        elif self.waiting:
            connection.ask(self.waiting.popleft())
        else:
            self.free.append(connection)


class _Connection(asyncio.Protocol):
    def __init__(self, load: _Load) -> None:
        self.load, self.busy, self.lost = load, False, False
        self.due_ns = self.sent_ns = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        self.lost = True
        if self.busy:
            self.busy = False
            self.load.rows.append((self.due_ns, self.sent_ns, self.load.now_ns(), 0, False))
        elif self in self.load.free:
            self.load.free.remove(self)

    def ask(self, due_ns: int) -> None:
        self.busy, self.due_ns, self.body = True, due_ns, b""
        self.parser = httptools.HttpResponseParser(self)
        self.sent_ns = self.load.now_ns()
        self.load.asked += 1
        self.transport.write(self.load.requests[self.load.asked % len(self.load.requests)])

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        row = (
            self.due_ns,
            self.sent_ns,
            self.load.now_ns(),
            self.parser.get_status_code(),
            b'"fallback"' in self.body,
        )
        self.load.rows.append(row)
        self.busy = False
        self.load.next_for(self)
