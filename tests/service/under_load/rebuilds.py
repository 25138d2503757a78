"""An index that is built anew while listings are written and asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.soak.afterwards import Findings, look
from harness.soak.judging.written import expected
from tests.service.launch import Service
from tests.service.under_load.locusts import finished, started, under_way

Known = tuple[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """took_s: each rebuild. asked: known listings that were asked for; missing: those that were not in the answer.
    samples, counts: of the load. found: what was written and is not there, and where index and catalogue differ.
    """

    took_s: list[float]
    asked: int
    missing: list[str]
    counts: dict[str, int]
    samples: Any
    found: Findings


class Asking:
    """Asks for listings that nobody changes, where they lie, one after the other, until it is ended."""

    def __init__(self, service: Service, known: Sequence[Known], k: int) -> None:
        self._service, self._known, self._k = service, known, k
        self.asked, self.missing = 0, list[str]()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._ended.is_set():
            id_, vector = self._known[self.asked % len(self._known)]
            question = {"vector": list(vector), "k": self._k, "mode": "approximate"}
            answer = self._service.ask("POST", "/v1/recommendations", question)
            if answer.status != 200 or answer.body.get("fallback"):
                continue  # it says so itself
            self.asked += 1
            if id_ not in [hit["id"] for hit in answer.body["hits"]]:
                self.missing.append(id_)


def rebuild_under_load(
    folder: Path, service: Service, rebuilds: int, known: Sequence[Known], *, k: int, **load: float
) -> Rebuilt:
    """Builds the index anew so many times in a row; the load has to last for as long as that takes."""
    took_s = []
    process = started(folder, service.url, **load)
    try:
        under_way(process)
        with Asking(service, known, k) as asking:
            for _ in range(rebuilds):
                start_s = time.monotonic()
                reply = service.ask("POST", "/v1/index:rebuild")
                assert reply.status == 200, reply.body
                took_s.append(time.monotonic() - start_s)
                time.sleep(0.5)
        about, samples = finished(process, folder)
    finally:
        process.kill()
        process.wait()
    found = look(service.url, expected(samples, about["plan"]["name"]))
    return Rebuilt(took_s, asking.asked, asking.missing, about["counts"], samples, found)
