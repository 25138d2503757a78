"""An end, in order or not, loses no write that was acknowledged."""

from __future__ import annotations

import http.client
import threading
from pathlib import Path

import pytest

from tests.service.launch import Service, running
from tests.service.shop import ROWS, document


def write_on(service: Service, name: str, acknowledged: list[str], started: threading.Event) -> None:
    """Puts listings until the service is gone."""
    for number in range(100_000):
        key = f"{name}-{number}"
        try:
            status = service.ask("PUT", f"/v1/listings/{key}", document()).status
        except (OSError, http.client.HTTPException):
            return
        if status == 200:
            acknowledged.append(key)
        if number == 20:
            started.set()


@pytest.mark.parametrize("kill", [False, True])
def test_no_acknowledged_write_is_lost(folder: Path, kill: bool) -> None:
    acknowledged: list[str] = []
    with running(folder, "--dataset", "shop", "--config", "service.yaml") as service:
        started = [threading.Event() for _ in range(3)]
        writers = [
            threading.Thread(target=write_on, args=(service, f"w{place}", acknowledged, event))
            for place, event in enumerate(started)
        ]
        for writer in writers:
            writer.start()
        assert all(event.wait(60) for event in started)
        if kill:
            service.process.kill()
            service.process.wait(30)
        else:
            assert service.stop() == 0
        for writer in writers:
            writer.join(60)
    with running(folder, "--dataset", "shop", "--config", "service.yaml") as service:
        lost = [key for key in acknowledged if service.ask("GET", f"/v1/listings/{key}").status != 200]
        assert len(acknowledged) > 60
        assert lost == []
        found = service.ask("POST", "/v1/index:check").body
        assert found["compared"] >= ROWS + len(acknowledged)
        assert (found["missing"], found["stale"], found["extra"], found["unknown_extra"]) == ([], [], [], 0)


def test_it_ends_at_once_where_nothing_is_under_way(folder: Path) -> None:
    with running(folder, "--dataset", "shop") as service:
        assert service.stop() == 0
        assert not [line for line in service.said if "Traceback" in line or "error" in line.lower()]
