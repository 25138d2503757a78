"""A disk that is full, and an engine that never comes back: what was acknowledged is there, and nothing half."""

from __future__ import annotations

import resource
import threading
from pathlib import Path

from tests.service.held import VARIABLE
from tests.service.launch import running
from tests.service.shop import ROWS, document, vectors

QUESTION = {"vector": vectors()[0].tolist(), "k": 5}


def test_a_full_disk_is_told_and_nothing_is_partly_written(folder: Path) -> None:
    options = ("--dataset", "shop", "--config", "service.yaml", "--data", "kept")
    with running(folder, *options) as service:
        assert service.ask("PUT", "/v1/listings/before", document()).status == 200
        before = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (1, before[1]))  # no file may grow
        lines = [{"id": f"line-{number}", **document()} for number in range(50)]
        for method, path, body in (
            ("PUT", "/v1/listings/during", document()),
            ("PATCH", "/v1/listings/before", {"price": 1.0}),
            ("DELETE", "/v1/listings/before", None),
            ("POST", "/v1/listings:bulk", lines),
        ):
            reply = service.ask(method, path, body)
            assert (reply.status, reply.body["type"]) == (503, "/docs#unavailable"), reply.body
            assert "free some space" in reply.body["detail"]
        assert service.ask("GET", "/v1/listings/before").body["attributes"]["price"] == 12.5
        assert service.ask("POST", "/v1/recommendations", QUESTION).status == 200
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, before)
        assert service.ask("GET", "/v1/listings/during").status == 404
        assert service.ask("GET", "/v1/listings/line-0").status == 404
        assert service.ask("PUT", "/v1/listings/after?wait=searchable", document()).status == 200
        assert service.stop() == 0
    with running(folder, *options) as service:
        found = service.ask("POST", "/v1/index:check").body
        assert (found["compared"], found["missing"], found["stale"]) == (ROWS + 2, [], [])


def test_an_engine_that_never_comes_back_does_not_keep_the_service(folder: Path) -> None:
    held = folder / "held"
    options = ("--dataset", "shop", "--config", "service.yaml", "--data", "kept")
    environ = {VARIABLE: str(held), "BAKEOFF_SERVICE_STOP_S": "1"}
    with running(folder, *options, "--engine", "tests.service.held:Held", **environ) as service:
        held.touch()
        asking = threading.Thread(target=service.ask, args=("POST", "/v1/recommendations", QUESTION))
        asking.start()
        asking.join(10)  # it is answered by the fallback; its thread is still with the engine
        assert not asking.is_alive()
        assert service.ask("PUT", "/v1/listings/kept", document()).status == 200
        assert service.stop() == 1
        service.process.wait(30)
    assert [line for line in service.said if "the engine does not let go" in line]
    held.unlink()
    with running(folder, *options) as service:
        assert service.ask("GET", "/v1/listings/kept").status == 200
        found = service.ask("POST", "/v1/index:check").body
        assert (found["compared"], found["missing"], found["stale"]) == (ROWS + 1, [], [])
