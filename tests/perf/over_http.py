"""What the service itself costs, over HTTP: with an engine that does no work, beside an echo on the same server.

Service and echoes are processes of their own on one core, with uvicorn, uvloop and httptools; they are asked from
another one. The echoes decode the same question and encode the same answer, with Starlette and with no framework. Each
is loaded by turns, in rounds. What other programs take of the core lowers requests a second, of all alike, so a core's
requests a second are counted by the processor time that a request took; of latency the best round is told.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from service.api.http.bodies import to_json
from tests.perf.http.echo_app import Answer
from tests.perf.http.loading import Client
from tests.perf.http.pinned import kept_to, processor_s, two_cores
from tests.perf.table import show
from tests.perf.telemetry import collector
from tests.service.launch import ROOT, running

LISTINGS, DIM, KS = 4_000, 64, (10, 20, 100)  # more than are asked exactly anyway
ROUNDS, ASKED, DUE, CONNECTIONS = 7, 300, 300, 8
PATH = "/v1/recommendations"
ENGINE = "tests.perf.http.null_engine:NullEngine"
WORDS = ("vintage", "linen", "shirt", "oversized", "black", "cotton", "summer", "dress", "with", "pockets")
# A machine that others keep busy is no reason to turn a request away or to answer it with what is popular.
PATIENT = {
    "BAKEOFF_SERVICE_DEADLINE_MS": "20000",
    "BAKEOFF_SERVICE_ADMISSION__PATIENCE_S": "5",
    "BAKEOFF_SERVICE_ADMISSION__TARGET_S": "5",
}
SERVICE, TRACED, STARLETTE, BARE = "service", "service, traced", "Starlette", "bare ASGI"


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    server_core, client_core = two_cores()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _write(folder)
        stack.enter_context(kept_to(client_core))
        url = stack.enter_context(collector())
        servers: dict[str, tuple[int, Client]] = {}
        for name, more in ((SERVICE, {}), (TRACED, {"BAKEOFF_SERVICE_TELEMETRY__OTLP": url})):
            with kept_to(server_core):
                options = ("--engine", ENGINE, "--dataset", "shop", "--data", f"served {name}")
                started = stack.enter_context(running(folder, *options, **PATIENT, **more))
            port = int(started.url.rpartition(":")[2])
            servers[name] = started.process.pid, Client(port, PATH, CONNECTIONS)
        answers = {k: servers[SERVICE][1].once(_body(k)) for k in KS}
        (folder / "answers.json").write_bytes(_plain(answers))
        for name, app in ((STARLETTE, "starlette"), (BARE, "bare")):
            with kept_to(server_core):
                pid, port = stack.enter_context(_echo(folder / "answers.json", app))
            servers[name] = pid, Client(port, PATH, CONNECTIONS)
        rows = []
        for k in KS:
            rows += _measured(servers, k)
        return rows


def _write(folder: Path) -> None:
    """Listings of the size that a shop's have, as a data set."""
    data, rng = folder / "shop", np.random.default_rng(1)
    data.mkdir()
    np.save(data / "vectors.npy", rng.standard_normal((LISTINGS, DIM)).astype(np.float32))
    np.save(data / "queries.npy", rng.standard_normal((5, DIM)).astype(np.float32))
    columns = {
        "id": [f"listing-{row:09}" for row in range(LISTINGS)],
        "brand": rng.choice(WORDS, LISTINGS).tolist(),
        "category": rng.choice(WORDS, LISTINGS).tolist(),
        "size": rng.choice(["S", "M", "L"], LISTINGS).tolist(),
        "price": rng.uniform(10, 60, LISTINGS).round(2),
        "title": [" ".join(words) for words in rng.choice(WORDS, (LISTINGS, 12))],
    }
    pq.write_table(pa.table(columns), data / "attributes.parquet")
    (data / "dataset.yaml").write_text("metric: cosine\nid: id\ntext: [title]\n")


def _body(k: int) -> bytes:
    vector = np.random.default_rng(2).standard_normal(DIM).round(5).tolist()
    return to_json({"vector": vector, "k": k})


def _plain(answers: Mapping[int, bytes]) -> bytes:
    """As the echoes read them. Raises RuntimeError for answers that are not what was asked for."""
    read = {k: msgspec.json.decode(answer, type=Answer) for k, answer in answers.items()}
    if wrong := [k for k, answer in read.items() if len(answer.hits) != k or answer.mode != "approximate"]:
        raise RuntimeError(f"k = {wrong[0]}: {answers[wrong[0]][:300]!r}")
    return to_json(read)


@contextmanager
def _echo(answers: Path, app: str) -> Iterator[tuple[int, int]]:
    """Process id and port of an echo."""
    command = [sys.executable, "-m", "tests.perf.http.echo_app", app, str(answers)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.pid, int(process.stdout.readline())
        finally:
            process.terminate()


def _measured(servers: Mapping[str, tuple[int, Client]], k: int) -> list[dict[str, Any]]:
    body = _body(k)
    us: dict[str, list[float]] = defaultdict(list)  # of the processor, a request
    rates: dict[str, list[float]] = defaultdict(list)
    for round_ in range(-1, ROUNDS):  # the first is not counted
        for name, (pid, client) in servers.items():
            before = processor_s(pid)
            rate = client.at_once(body, ASKED)
            took_us = (processor_s(pid) - before) / ASKED * 1e6
            if round_ >= 0:
                us[name].append(took_us)
                rates[name].append(rate)
    wall = {name: statistics.median(of) for name, of in rates.items()}
    late: dict[str, list[np.ndarray]] = defaultdict(list)
    for round_ in range(ROUNDS):
        for name in (SERVICE, STARLETTE):
            late[name].append(servers[name][1].due(body, wall[SERVICE] / 2, DUE, round_) * 1e3)
    rows = []
    for name, limit in ((STARLETTE, "; at least 0.6"), (BARE, "")):
        ours, reference = (1e6 / statistics.median(us[one]) for one in (SERVICE, name))
        note = f"{1e6 / ours:.0f} us, {1e6 / reference:.0f} us{limit}"
        rows.append(
            _row(f"k = {k}, requests a second of a core: service / echo, {name}", ours, reference, "/s", note)
        )
    more = statistics.median(a - b for a, b in zip(us[TRACED], us[SERVICE], strict=True))
    plain = statistics.median(us[SERVICE])
    rows.append(
        _row(
            f"k = {k}, 1 % of requests traced / none",
            plain + more,
            plain,
            "us",
            f"{more:+.0f} us; at most 60 us",
        )
    )
    for share, limit in ((50, 0.5), (99, 2.0)):
        ours, reference = (
            min(float(np.percentile(one, share)) for one in late[name]) for name in (SERVICE, STARLETTE)
        )
        note = f"added to a call that does no work: at most {limit} ms"
        rows.append(
            _row(f"k = {k}, half load, P{share}: service / echo, Starlette", ours, reference, "ms", note)
        )
    return rows


def _row(name: str, ours: float, reference: float, unit: str, note: str) -> dict[str, Any]:
    return {"name": name, "ours": ours, "reference": reference, "ratio": ours / reference} | {
        "unit": unit,
        "note": note,
    }


if __name__ == "__main__":
    show(figures())
