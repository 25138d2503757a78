"""What a request costs at full load, and latency at half of it, of each framework on each server.

One worker, pinned to one core; wrk on another. Rounds are interleaved and the median of each figure is told, so that
what else the machine does falls on all alike. What other programs take from the server's core lowers its requests a
second, and a server of several threads loses less by it; its processor time for a request is the figure to go by. At
half load wrk waits between the requests of a connection, times drawn from an exponential distribution; latency is from
the sending of a request.
"""

from __future__ import annotations

import argparse
import http.client
import importlib.util
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.perf.frameworks import payloads

ROOT = Path(__file__).parents[3]
CONNECTIONS, PATH = 32, "/recommendations"
SERVER_CORE, CLIENT_CORE = 0, 1
UVICORN = ("uvicorn", "--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "error")
GRANIAN = ("granian", "--interface", "asgi", "--workers", "1", "--loop", "uvloop", "--no-access-log")
SUBJECTS = {
    "bare on granian": ("bare_app", GRANIAN),
    "bare on uvicorn": ("bare_app", UVICORN),
    "starlette on granian": ("starlette_app", GRANIAN),
    "starlette on uvicorn": ("starlette_app", UVICORN),
    "litestar on granian": ("litestar_app", GRANIAN),
    "litestar on uvicorn": ("litestar_app", UVICORN),
    "fastapi on granian": ("fastapi_app", GRANIAN),
    "fastapi on uvicorn": ("fastapi_app", UVICORN),
}
NEEDED = ("litestar", "msgspec", "granian", "fastapi", "uvicorn", "httptools", "uvloop", "psutil")
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [==[{body}]==]
local mean = {delay_ms}
if mean > 0 then
  function delay() return math.floor(-mean * math.log(1 - math.random()) + 0.5) end
end
function done(summary, latency, requests)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("FIGURES %f %f %f %d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, bad))
end
"""


Figures = tuple[float, float, float, float]  # requests/s, processor's us a request, P50 and P99 in ms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each load")
    options = parser.parse_args()
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(
            f"needs {', '.join(missing)}: install in a Python of its own (pip install {' '.join(missing)})"
        )
    if shutil.which("wrk") is None:
        sys.exit("needs wrk: apt-get install wrk")
    bodies = {"history": payloads.history(), "vector": payloads.vector()}
    figures: dict[tuple[str, str], list[Figures]] = {}
    for _ in range(options.rounds):
        for subject in SUBJECTS:
            for body, one in measured(subject, bodies, options.seconds).items():
                figures.setdefault((subject, body), []).append(one)
    told(figures, {body: len(text) for body, text in bodies.items()})


def measured(subject: str, bodies: dict[str, bytes], seconds: int) -> dict[str, Figures]:
    """The figures of each body."""
    module, server = SUBJECTS[subject]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m", *server]
    command += [f"tests.perf.frameworks.{module}:app", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
    )
    try:
        ready(port, bodies["history"])
        found = {}
        for name, body in bodies.items():
            load(port, body, 1, 0)
            before = cpu_s(process.pid)
            rate = load(port, body, seconds, 0)[0]
            # wrk ends a little after its last request; the server does nothing then.
            cpu_us = (cpu_s(process.pid) - before) / (rate * seconds) * 1e6
            # A connection asks once per delay and latency; the latency at half load is about one request's work.
            half = load(port, body, seconds, 1e3 * (2 * CONNECTIONS / rate - 1 / rate))
            found[name] = (rate, cpu_us, half[1], half[2])
        return found
    finally:
        process.terminate()
        process.wait(10)


def cpu_s(pid: int) -> float:
    """Processor time of a process and its children so far."""
    import psutil

    root = psutil.Process(pid)
    return sum(sum(one.cpu_times()[:2]) for one in (root, *root.children(recursive=True)))


def ready(port: int, body: bytes) -> None:
    for _ in range(200):
        time.sleep(0.05)
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("POST", PATH, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        except OSError:
            continue
        if answer.status != 200 or text.count(b'"title"') != payloads.HITS:
            sys.exit(f"answers {answer.status}: {text[:200]!r}")
        return
    sys.exit("does not answer within 10 s")


def load(port: int, body: bytes, seconds: int, delay_ms: float) -> tuple[float, float, float]:
    """Requests a second, P50 and P99 in ms. Any failed request ends the measurement."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT.format(body=body.decode(), delay_ms=delay_ms))
        script.flush()
        address = f"http://127.0.0.1:{port}{PATH}"
        command = ["taskset", "-c", str(CLIENT_CORE), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
        done = subprocess.run(
            [*command, "-s", script.name, address], capture_output=True, text=True, check=True
        )
    match = re.search(r"FIGURES (\S+) (\S+) (\S+) (\d+)", done.stdout)
    if match is None or int(match[4]):
        sys.exit(f"requests failed: {done.stdout}")
    return float(match[1]), float(match[2]), float(match[3])


def told(figures: dict[tuple[str, str], list[Figures]], sizes: dict[str, int]) -> None:
    for body, size in sizes.items():
        print(f"\n{body}, {size} bytes: processor's us a request, share of bare on granian's rate a core,")
        print("requests/s (lowest-highest), P50 and P99 in ms at half load")
        reference = statistics.median(one[1] for one in figures["bare on granian", body])
        for subject in SUBJECTS:
            rates = [one[0] for one in figures[subject, body]]
            rate, cpu_us, p50, p99 = (
                statistics.median(column) for column in zip(*figures[subject, body], strict=True)
            )
            print(
                f"{subject:22} {cpu_us:6.0f} {reference / cpu_us:5.2f} "
                f"{rate:6.0f} ({min(rates):.0f}-{max(rates):.0f}) {p50:6.2f} {p99:6.2f}"
            )


if __name__ == "__main__":
    main()
