"""What the measurements of clients share: CPU time taken in turns, a bare exchange over HTTP, rows of the table."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from engines.http.connection import Response

Calls = Mapping[str, Callable[[], object]]


def rounds(
    calls: Calls,
    repeats: int,
    number: int,
    *,
    units: int = 1,
    clock: Callable[[], int] = time.thread_time_ns,
) -> dict[str, float]:
    """Median CPU time of a call, or of one of its `units`, in microseconds.

    Parts of a round are measured in turn, so that what disturbs one disturbs all.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(number):
        for name, call in calls.items():
            start = clock()
            for _ in range(repeats):
                call()
            taken[name].append((clock() - start) / (1e3 * repeats * units))
    return {name: statistics.median(found) for name, found in taken.items()}


def row(name: str, ours: float, reference: float | None, unit: str = "us", note: str = "") -> dict[str, Any]:
    """A row of runs/perf.json."""
    ratio = ours / reference if reference else None
    return {"name": name, "ours": ours, "reference": reference, "ratio": ratio, "unit": unit, "note": note}


def exchange(url: str, target: str, body: bytes) -> Callable[[], bytes]:
    """Sends a request as it is ready-made over a socket, and reads what comes at once: the floor of an HTTP client.

    Raises AssertionError for an answer that does not come at once.
    """
    address = urlsplit(url)
    head = f"POST {target} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    connection = socket.create_connection((address.hostname, address.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def once() -> bytes:
        connection.sendall(request)
        return connection.recv(1 << 16)

    answer = Response()
    answer.feed_data(once())
    assert answer.complete, "the floor would be too low: this answer takes more than one recv()"
    return once


def beside_socket(engine: str, dim: int, times: dict[str, float], official: str) -> list[dict[str, Any]]:
    """Rows of the parts in `times`, each beside "bare socket" and the first beside the client called `official`."""
    bare, theirs = times.pop("bare socket"), times.pop(official)
    name = f"{engine} {dim}-d,"
    rows = [
        row(f"{name} {part} / bare socket", mine, bare, note="at most 2.5") for part, mine in times.items()
    ]
    return [
        *rows,
        row(f"{name} {official} / bare socket", theirs, bare),
        row(f"{name} query() / {official}", times["query()"], theirs),
    ]
