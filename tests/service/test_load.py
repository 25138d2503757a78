"""What happens to requests while the engine is stuck, and when there are too many."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.service.held import VARIABLE
from tests.service.launch import Reply, Service, running
from tests.service.scraped import samples
from tests.service.shop import document, vectors

ENGINE = ("--dataset", "shop", "--engine", "tests.service.held:Held")
QUESTION: dict[str, Any] = {"vector": vectors()[0].tolist(), "k": 5, "where": {"brand": "COS"}}


def asked(service: Service) -> Reply:
    return service.ask("POST", "/v1/recommendations", QUESTION)


def await_the_engine(service: Service) -> None:
    """Until it answers by its engine; a machine that is busy for a moment has it answer by its fallback."""
    assert any("fallback" not in asked(service).body for _ in range(200))


def test_a_stuck_engine_is_answered_for_and_nothing_else_waits(folder: Path) -> None:
    held = folder / "held"
    environ = {VARIABLE: str(held), "BAKEOFF_SERVICE_DEADLINE_MS": "1000"}
    with running(folder, *ENGINE, **environ) as service:
        await_the_engine(service)
        held.touch()
        late = asked(service)
        assert (late.status, late.body["fallback"]) == (200, "late")
        assert {hit["attributes"]["brand"] for hit in late.body["hits"]} == {"COS"}
        with ThreadPoolExecutor(8) as threads:
            stuck = [threads.submit(asked, service) for _ in range(8)]
            assert service.ask("GET", "/healthz").status == 200
            assert service.ask("PUT", "/v1/listings/meanwhile", document(seller=None)).status == 200
            assert service.ask("GET", "/v1/listings/meanwhile").status == 200
            replies = [one.result() for one in stuck]
        assert {one.status for one in replies} <= {200, 503, 504}
        assert all(one.body["fallback"] for one in replies if one.status == 200)
        assert service.ask("GET", "/readyz").status == 503
        stuck_figures = samples(service.ask("GET", "/metrics").body)
        told = {why for one in replies if one.status == 200 for why in [one.body["fallback"]]} | {"late"}
        assert {why for (why,) in stuck_figures["bakeoff_fallbacks_total"]} >= told
        held.unlink()
        await_the_engine(service)
        assert service.ask("GET", "/readyz").status == 200


def test_the_index_of_an_empty_catalogue_has_to_answer_too(folder: Path) -> None:
    held = folder / "held"
    environ = {VARIABLE: str(held), "BAKEOFF_SERVICE_DEADLINE_MS": "1000"}
    environ |= {"BAKEOFF_SERVICE_CATALOGUE__DIM": "4", "BAKEOFF_SERVICE_CATALOGUE__METRIC": "cosine"}
    with running(folder, "--engine", ENGINE[-1], "--data", "empty", **environ) as service:
        assert service.ask("GET", "/readyz").status == 200
        held.touch()
        assert service.ask("GET", "/readyz").status == 503
        held.unlink()


def test_too_many_are_turned_away_before_work_is_done(folder: Path) -> None:
    held = folder / "held"
    environ = {
        VARIABLE: str(held),
        "BAKEOFF_SERVICE_ADMISSION__MOST": "1",
        "BAKEOFF_SERVICE_ADMISSION__QUEUE": "1",
        "BAKEOFF_SERVICE_DEADLINE_MS": "3000",
    }
    with running(folder, *ENGINE, **environ) as service:
        held.touch()
        with ThreadPoolExecutor(6) as threads:
            replies = [one.result() for one in [threads.submit(asked, service) for _ in range(6)]]
        shed = [one for one in replies if one.status == 503]
        assert len(shed) >= 4
        assert {one.body["type"] for one in shed} == {"/docs#overloaded"}
        assert all(int(one.headers["retry-after"]) >= 1 for one in shed)
        assert any(one.status == 200 for one in replies)
        assert samples(service.ask("GET", "/metrics").body)["bakeoff_shed_total"] == {(): len(shed)}


def test_who_has_gone_makes_room(folder: Path) -> None:
    """A request whose client has gone gives back its place, although the engine still holds its thread."""
    held = folder / "held"
    environ = {
        VARIABLE: str(held),
        "BAKEOFF_SERVICE_ADMISSION__MOST": "1",
        "BAKEOFF_SERVICE_ADMISSION__PATIENCE_S": "20",
        "BAKEOFF_SERVICE_DEADLINE_MS": "60000",
        "BAKEOFF_SERVICE_RETRIEVAL__LATE_S": "30",
    }
    with running(folder, *ENGINE, **environ) as service:
        held.touch()
        parts = urlsplit(service.url)
        body = b'{"vector": [1, 0, 0, 0, 0, 0, 0, 0]}'
        head = b"POST /v1/recommendations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        with (
            ThreadPoolExecutor(1) as threads,
            socket.create_connection((parts.hostname, parts.port), timeout=10) as connection,
            socket.create_connection((parts.hostname, parts.port), timeout=10) as waiting,
        ):
            for one in (connection, waiting):
                one.sendall(head + b"content-length: %d\r\n\r\n" % len(body) + body)
                assert service.ask("GET", "/healthz").status == 200  # the first has the only place by then
            waiting.close()
            assert service.ask("GET", "/healthz").status == 200
            figures = samples(service.ask("GET", "/metrics").body)
            assert (figures["bakeoff_gone_total"], figures["bakeoff_waiting"]) == ({(): 1}, {(): 0})
            second = threads.submit(service.ask, "POST", "/v1/search", {"text": "shirt"})
            assert service.ask("GET", "/healthz").status == 200
            assert not second.done()
            connection.close()
            assert second.result(30).status == 200  # words need no engine
            assert held.exists()
        held.unlink()


def test_a_stuck_engine_does_not_keep_it_from_ending(folder: Path) -> None:
    held = folder / "held"
    environ = {VARIABLE: str(held), "BAKEOFF_SERVICE_STOP_S": "1"}
    with running(folder, *ENGINE, **environ) as service:
        held.touch()
        assert asked(service).body["fallback"] == "late"
        assert service.ask("PUT", "/v1/listings/last", document(seller=None)).status == 200
        assert service.stop() == 1
        assert any("the engine does not let go" in line for line in service.said)
    held.unlink()
    with running(folder, *ENGINE, **environ) as service:
        assert service.ask("GET", "/v1/listings/last").status == 200
        assert service.stop() == 0
