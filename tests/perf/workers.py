"""One and two workers on the same engine's server, asked in turns: questions a second, and when a write is searchable.

The clients, the engine's server and all workers share the processors of this machine: where these are few, or busy,
the second worker adds less than it would beside a server of its own.
"""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.perf.table import show
from tests.servers import pgvector
from tests.service import shop
from tests.service.launch import Service, running

ROUNDS, SECONDS, CLIENTS, CONNECTIONS, WRITES = 7, 2.0, 2, 6, 40


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(pgvector.running(folder / "server"))
        services = [stack.enter_context(_serving(folder / str(count), url, count)) for count in (1, 2)]
        clients = stack.enter_context(ProcessPoolExecutor(CLIENTS, get_context("spawn")))
        rates = [[_rate(clients, service) for service in services] for _ in range(ROUNDS)]
        one, two = (statistics.median(column) for column in zip(*rates, strict=True))
        ratio = statistics.median(more / less for less, more in rates)
        soon = [statistics.median(_searchable(service) for _ in range(WRITES)) * 1e3 for service in services]
    return [
        {
            "name": "two workers: questions answered",
            "ours": two,
            "reference": one,
            "ratio": ratio,
            "unit": "1/s",
        },
        {
            "name": "two workers: a write searchable in both",
            "ours": soon[1],
            "reference": soon[0],
            "ratio": soon[1] / soon[0],
            "unit": "ms",
        },
    ]


def _serving(folder: Path, url: str, workers: int) -> Any:
    folder.mkdir()
    shop.write(folder)
    options = (
        "--dataset",
        "shop",
        "--config",
        "service.yaml",
        "--engine",
        "pgvector",
        "--workers",
        str(workers),
    )
    return running(folder, *options, BAKEOFF_PGVECTOR_URL=url)


def _rate(clients: ProcessPoolExecutor, service: Service) -> float:
    return sum(clients.map(_answered, [service.url] * CLIENTS))


def _answered(url: str) -> float:
    """Questions answered a second, by connections that each ask one after the other."""
    end = time.perf_counter() + SECONDS
    asked = [json.dumps({"vector": row, "k": 10}) for row in shop.vectors()[:50].tolist()]

    def ask() -> int:
        parts, count = urlsplit(url), 0
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
        with closing(connection):
            while time.perf_counter() < end:
                body = asked[count % len(asked)]
                connection.request("POST", "/v1/recommendations", body, {"content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"{url} answered {answer.status}")
                count += 1
        return count

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        return sum(one.result() for one in [threads.submit(ask) for _ in range(CONNECTIONS)]) / SECONDS


def _searchable(service: Service) -> float:
    """Seconds from sending a write until the answer that the index shows it."""
    began = time.perf_counter()
    reply = service.ask("PUT", "/v1/listings/probe?wait=searchable", shop.document(price=began % 1000))
    if reply.status != 200:
        raise RuntimeError(f"a write was answered with {reply.status}")
    return time.perf_counter() - began


if __name__ == "__main__":
    show(figures())
