"""A service of our own for a soak: started, watched for its memory, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from harness.children.start import dying_with_us
from harness.errors import MeasurementError

_STOP_S = 60.0


@dataclass
class Watched:
    """memory: (s since it was watched, bytes of it and of the processes that it has started)."""

    url: str
    pid: int
    ready_s: float
    memory: list[tuple[float, int]] = field(default_factory=list)
    exit_code: int | None = None

    def rss_bytes(self) -> int:
        """Now; 0 once it has ended."""
        total = 0
        with suppress(psutil.NoSuchProcess):
            own = psutil.Process(self.pid)
            for one in (own, *own.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    total += one.memory_info().rss
        return total


@contextmanager
def serving(options: Sequence[str], log: Path, *, ready_s: float = 900.0) -> Iterator[Watched]:
    """`bakeoff serve` with these options on a free port; `log` has what it says. Raises MeasurementError with its last
    lines where it does not get ready, or not in time.
    """
    command = dying_with_us([sys.executable, "-m", "harness.cli", "serve", "--port", "0", *options])
    start_s = time.monotonic()
    with log.open("w") as said:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, text=True, env=_environment()
        )
    assert process.stdout is not None
    guard = threading.Timer(ready_s, process.kill)
    guard.start()
    stop = threading.Event()
    try:
        line = process.stdout.readline()
        guard.cancel()
        if not line.startswith("listening on "):
            process.wait(_STOP_S)
            lines = log.read_text("utf-8", "replace").splitlines()
            # What it ended with; else, where it was killed, the last that it said.
            errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
            last = " | ".join(errors or lines[-5:])
            raise MeasurementError(f"the service did not start: {last or 'it said nothing'}; see {log}")
        watched = Watched(line.split()[-1], process.pid, time.monotonic() - start_s)
        watching = threading.Thread(target=_watch, args=(watched, stop), daemon=True)
        watching.start()
        yield watched
        stop.set()
        watching.join()
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            watched.exit_code = process.wait(_STOP_S)
    finally:
        stop.set()
        guard.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


def _environment() -> dict[str, str]:
    """Without settings of a service that somebody runs here."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BAKEOFF_SERVICE_")}


def _watch(watched: Watched, stop: threading.Event) -> None:
    start_s = time.monotonic()
    while not stop.wait(1.0):
        watched.memory.append((time.monotonic() - start_s, watched.rss_bytes()))
