"""A whole soak on this machine: service, load, a look afterwards, and result.json of it all."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.children.start import dying_with_us
from harness.errors import MeasurementError
from harness.machine.environment import describe_environment
from harness.paths import shipped
from harness.progress import Progress
from harness.results.files import write_json
from harness.soak.afterwards import Findings, look
from harness.soak.judging.figures import by_kind, over_time, totals
from harness.soak.judging.promises import judge
from harness.soak.judging.written import expected
from harness.soak.load.recording import LOAD, read_load
from harness.soak.load.samples import Rows
from harness.soak.service import serving

RESULT, SERVICE_LOG, LOAD_LOG = "result.json", "service.log", "load.log"
SCHEMA_VERSION = 1
_SERVED = "served"
_END_S = 120.0  # for the load to begin and to end


@dataclass(frozen=True, slots=True)
class Load:
    """What locustfile.py is given. users: connections, of all workers together. workers: processes on this machine."""

    reads_per_s: float
    writes_per_s: float
    seconds: float
    users: int = 64
    workers: int = 1
    seed: int = 0


def soak(folder: Path, load: Load, serve: Sequence[str], progress: Progress) -> dict[str, Any]:
    """Starts a service with the options `serve`, puts it under load, and writes everything into `folder`.

    Returns what result.json holds. Raises MeasurementError where service or load do not run, ConfigurationError where
    the load left nothing.
    """
    progress("starting the service", 0, None)
    with serving([*serve, "--data", str(folder / _SERVED)], folder / SERVICE_LOG) as service:
        began = len(service.memory)
        _drive(folder, load, service.url, progress)
        under_load = service.memory[began:]
        about, samples = read_load(folder)
        progress("looking for acknowledged writes", 0, None)
        found = look(service.url, expected(samples, about["plan"]["name"]))
    told = {"options": list(serve), "ready_s": service.ready_s, "exit_code": service.exit_code}
    result = _judged(folder, about, samples, found=found, service=told, memory=_course(under_load))
    if not any(one["kept"] is False for one in result["promises"]):
        shutil.rmtree(folder / _SERVED)  # else it is left to be looked into
    return result


def judge_load(folder: Path) -> dict[str, Any]:
    """result.json of what locustfile.py has left in `folder`, of a service that is not ours; its catalogue is not seen.

    Returns what it holds. Raises ConfigurationError, MeasurementError.
    """
    about, samples = read_load(folder)
    return _judged(folder, about, samples)


def _judged(
    folder: Path,
    about: dict[str, Any],
    samples: Rows,
    *,
    found: Findings | None = None,
    service: dict[str, Any] | None = None,
    memory: Sequence[tuple[float, int]] = (),
) -> dict[str, Any]:
    figures, counts = totals(samples), about["counts"]
    after = {
        "lost_writes": None if found is None else len(found.lost),
        "differences": None if found is None else found.differences,
    }
    promises = judge(figures, counts, after)
    result = {
        "schema_version": SCHEMA_VERSION,
        "kind": "soak",
        "name": folder.name,
        "started_at": datetime.fromtimestamp(about["started_at"], UTC).isoformat(timespec="seconds"),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "environment": describe_environment(),
        "service": service,
        "load": about,
        "totals": figures,
        "kinds": by_kind(samples),
        "course": over_time(samples, about["plan"]["seconds"]),
        "memory": memory,
        "afterwards": None if found is None else asdict(found),
        "promises": [asdict(one) | {"kept": one.kept} for one in promises],
    }
    write_json(folder / RESULT, result)
    return result


def _course(memory: Sequence[tuple[float, int]], most: int = 120) -> list[tuple[float, int]]:
    """At most so many points, from the first second on, evenly apart."""
    if not memory:
        return []
    step = max(1, -(-len(memory) // most))
    return [(at_s - memory[0][0], rss) for at_s, rss in memory[::step]]


def _drive(folder: Path, load: Load, url: str, progress: Progress) -> None:
    """Runs Locust on locustfile.py to its end."""
    options = {
        "host": url,
        "users": load.users,
        "spawn-rate": load.users,
        "reads": load.reads_per_s,
        "writes": load.writes_per_s,
        "seconds": load.seconds,
        "seed": load.seed,
        "out": folder,
    }
    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        str(shipped("locustfile.py")),
        "--headless",
        "--only-summary",
    ]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    if load.workers > 1:
        command += ["--processes", str(load.workers)]
    log = folder / LOAD_LOG
    with log.open("w") as said:
        process = subprocess.Popen(dying_with_us(command), stdout=said, stderr=said, stdin=subprocess.DEVNULL)
    start_s = time.monotonic()
    try:
        while process.poll() is None:
            after_s = time.monotonic() - start_s
            if after_s > load.seconds + _END_S:
                raise MeasurementError(f"the load did not end in time; see {log}")
            progress("load", min(after_s, load.seconds), load.seconds)
            time.sleep(0.2)
    finally:
        process.kill()
        process.wait()
    if not (folder / LOAD).is_file():
        last = " | ".join(log.read_text("utf-8", "replace").splitlines()[-5:])
        raise MeasurementError(f"there was no load: {last}; see {log}")
