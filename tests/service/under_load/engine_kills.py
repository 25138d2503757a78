"""A server engine that is killed while the service is under load, again and again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from engines.server.launched import Launched
from harness.soak.afterwards import Findings, look
from harness.soak.judging.written import expected
from tests.service.launch import Service
from tests.service.under_load.locusts import finished, started, under_way

_RECOVERS_S, _UP_S, _DOWN_S = 60.0, 1.0, 0.7


@dataclass(frozen=True, slots=True)
class Killed:
    """recovered_s: from when the engine was back until it answered again, of each kill. samples: of the load.

    found: what was written and is not there, and where index and catalogue differ.
    """

    recovered_s: list[float]
    counts: dict[str, int]
    samples: Any
    found: Findings


def kill_under_load(
    folder: Path, service: Service, server: Launched, kills: int, question: dict[str, Any], **load: float
) -> Killed:
    """Kills the server with all its processes, lets the service be without it for a while, and starts it again."""
    seconds = kills * (_UP_S + _DOWN_S + 3.0) + 2.0  # some 3 s to start and to recover
    process = started(folder, service.url, **{"seconds": seconds, "users": 128, **load})
    recovered_s = []
    try:
        under_way(process)
        for _ in range(kills):
            time.sleep(_UP_S)
            _kill(server.pid)
            time.sleep(_DOWN_S)
            assert server.kill_and_start is not None
            server = server.kill_and_start()
            recovered_s.append(_recovery_s(service, question))
        about, samples = finished(process, folder, seconds + 120)
    finally:
        process.kill()
        process.wait()
    _follow(service)
    return Killed(
        recovered_s, about["counts"], samples, look(service.url, expected(samples, about["plan"]["name"]))
    )


def _kill(pid: int) -> None:
    root = psutil.Process(pid)
    for one in (root, *root.children(recursive=True)):
        one.kill()


def _recovery_s(service: Service, question: dict[str, Any]) -> float:
    start_s = time.monotonic()
    while time.monotonic() - start_s < _RECOVERS_S:
        answer = service.ask("POST", "/v1/recommendations", question)
        if answer.status == 200 and not answer.body.get("fallback"):
            return time.monotonic() - start_s
        time.sleep(0.01)
    raise AssertionError(
        f"no answer of the engine {_RECOVERS_S:.0f} s after it was back: {service.said[-5:]}"
    )


def _follow(service: Service) -> None:
    """Blocks until the index is up with the catalogue."""
    end_s = time.monotonic() + _RECOVERS_S
    while (state := service.ask("GET", "/v1/service").body["index"])["applied"] < state["last_seq"]:
        assert time.monotonic() < end_s, state
        time.sleep(0.05)
