"""Requests over sockets of this process: as fast as they are answered, or when they are due."""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

_OK, _END, _LENGTH = b"HTTP/1.1 200 ", b"\r\n\r\n", b"content-length: "
_FALLBACK = b'"fallback":'
_SILENT_S = 10.0


@dataclass
class _Connection:
    socket: socket.socket
    due_s: float = 0.0
    data: bytes = b""


class Client:
    """Of one server; connections are new for each load, and each asks one question at a time.

    Raises RuntimeError for what is no answer.
    """

    def __init__(self, port: int, path: str, connections: int) -> None:
        self._port, self._connections = port, connections
        self._head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"

    def once(self, body: bytes) -> bytes:
        """The body of an answer."""
        return self._asked(body, [0.0])[1]

    def at_once(self, body: bytes, count: int) -> float:
        """Requests a second, where each connection asks again as soon as it is answered."""
        began = time.perf_counter()
        self._asked(body, [0.0] * count)
        return count / (time.perf_counter() - began)

    def due(self, body: bytes, rate: float, count: int, seed: int) -> np.ndarray:
        """Seconds from when each request was due until it was answered, by a Poisson process of this rate a second."""
        due_s = np.cumsum(np.random.default_rng(seed).exponential(1 / rate, count))
        return np.array(self._asked(body, due_s.tolist())[0])

    def _asked(self, body: bytes, due_s: Sequence[float]) -> tuple[list[float], bytes]:
        """Seconds of each request, and the last answer. The processor is kept busy, so that none is sent late."""
        request = f"{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        waiting, took_s, last = deque(due_s), list[float](), b""
        with self._connected() as (poll, by_file):
            free = deque(by_file.values())
            began = heard = time.perf_counter()
            while len(took_s) < len(due_s):
                now = time.perf_counter()
                while waiting and free and began + waiting[0] <= now:
                    one = free.popleft()
                    one.due_s = waiting.popleft()
                    one.socket.sendall(request)
                for number, _ in poll.poll(0):
                    one, heard = by_file[number], now
                    if answer := _received(one):
                        last, one.data = answer, b""
                        took_s.append(time.perf_counter() - began - one.due_s)
                        free.append(one)
                if now - heard > _SILENT_S:
                    raise RuntimeError(f"no answer within {_SILENT_S:.0f} s")
        return took_s, last

    @contextmanager
    def _connected(self) -> Iterator[tuple[select.epoll, Mapping[int, _Connection]]]:
        with ExitStack() as stack:
            poll = stack.enter_context(select.epoll())
            by_file: dict[int, _Connection] = {}
            for _ in range(self._connections):
                made = stack.enter_context(socket.create_connection(("127.0.0.1", self._port)))
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                poll.register(made.fileno(), select.EPOLLIN)
                by_file[made.fileno()] = _Connection(made)
            yield poll, by_file


def _received(one: _Connection) -> bytes:
    """The body of an answer that is complete, b"" before."""
    read = one.socket.recv(1 << 18)
    one.data += read
    head, end, body = one.data.partition(_END)
    if not read or (end and (not head.startswith(_OK) or _FALLBACK in body)):
        raise RuntimeError(f"not answered as asked: {one.data[:300]!r}")
    if not end or len(body) < int(head[head.index(_LENGTH) + len(_LENGTH) :].partition(b"\r")[0]):
        return b""
    return body
