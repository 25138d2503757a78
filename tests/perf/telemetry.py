"""What metrics, ids and traces add to a recommendation, in one process and without a network.

The same request goes to the same application by turns, told to real telemetry, to one that traces, and to nothing.
Counted is the processor time of all threads, so that what is sent in the background counts, and other programs do not.
The collector is a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from service.api.app import application
from service.api.parts import Parts
from service.application.opening.observing import observing
from service.application.opening.parts import opened
from service.application.planning.plan import plan
from service.settings.model import Settings
from service.telemetry.recall import Sampled
from service.telemetry.requests.asked import Asked
from service.telemetry.standing import Watched
from service.telemetry.telemetry import Telemetry
from tests.perf.table import show
from tests.service import shop

ROUNDS, ASKED = 60, 100
BODY = json.dumps({"vector": shop.vectors()[0].tolist(), "k": 20, "where": {"brand": "COS"}}).encode()
COLLECTOR = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


class Nothing:
    """In place of telemetry."""

    asked = Asked("0", "0")

    def begun(self, headers: Iterable[tuple[bytes, bytes]]) -> Asked:
        return self.asked

    def ended(self, asked: Asked, operation: str, code: int, ended_ns: int) -> None:
        pass


@contextmanager
def collector() -> Iterator[str]:
    """The URL of one that takes traces and does nothing with them."""
    with subprocess.Popen([sys.executable, "-c", COLLECTOR], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    with threadpool_limits(1), ExitStack() as stack:
        url = stack.enter_context(collector())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = Settings.model_validate(
            {"dataset": str(shop.write(folder)), "data": str(folder / "served"), "deadline_ms": 60_000}
        )
        made = plan(settings, cache=folder / "cache", progress=lambda *_: None)
        parts = opened(made, stack, progress=lambda *_: None, say=lambda _: None, version="0")
        apps = {"nothing": application(replace(parts, telemetry=Nothing()), "0")}  # type: ignore[arg-type]
        for name, share in (("metrics", None), ("1 %", 0.01), ("all", 1.0)):
            telemetry = _telemetry(parts, settings, None if share is None else url, share or 0.0)
            stack.callback(telemetry.close)
            apps[name] = application(replace(parts, telemetry=telemetry), "0")
        took_us = asyncio.run(_took_us(apps))
    rows = []
    for name, beside, label, limit in (
        ("metrics", "nothing", "a recommendation with metrics and ids / without", ""),
        ("1 %", "metrics", "the same with traces, 1 % of them sampled / without", "; at most 60 us more"),
        ("all", "metrics", "the same with traces, all of them sampled / without", ""),
    ):
        ours, reference = took_us[name], took_us[beside]
        more = statistics.median(a - b for a, b in zip(ours, reference, strict=True))
        median = statistics.median(reference)
        note = f"{more:+.0f} us{limit}"
        rows.append(
            {"name": label, "ours": median + more, "reference": median, "ratio": (median + more) / median}
            | {"unit": "us", "note": note}
        )
    return rows


def _telemetry(parts: Parts, settings: Settings, url: str | None, share: float) -> Telemetry:
    wanted = settings.telemetry.model_copy(update={"otlp": url, "trace_share": share, "recall_share": 0.0})
    index = parts.retrieval._indexes["live"].index  # type: ignore[attr-defined]
    watched = Watched(parts.gate, {}, index.status, "0", "bruteforce", "")
    return observing(settings.model_copy(update={"telemetry": wanted}), watched, {}, Sampled(index, 0.0))


async def _took_us(apps: dict[str, Any]) -> dict[str, list[float]]:
    """Of a request, by application and round."""
    took: dict[str, list[float]] = {name: [] for name in apps}
    for round_ in range(-5, ROUNDS):  # the first are not counted
        for name, app in apps.items():
            began = time.process_time_ns()
            for _ in range(ASKED):
                await _ask(app)
            if round_ >= 0:
                took[name].append((time.process_time_ns() - began) / 1e3 / ASKED)
    return took


async def _ask(app: Any) -> None:
    sent: list[dict[str, Any]] = []
    given = [{"type": "http.request", "body": BODY, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if given:
            return given.pop()
        await asyncio.Event().wait()  # the client stays
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/recommendations",
        "raw_path": b"/v1/recommendations",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"host", b"localhost")],
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 200, sent


if __name__ == "__main__":
    show(figures())
