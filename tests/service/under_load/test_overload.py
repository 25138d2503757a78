"""Three times as many questions as can be answered: what is accepted is answered in time."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import numpy as np

from harness.load.schedules import poisson
from tests.service.held import VARIABLE
from tests.service.launch import Service, running
from tests.service.shop import vectors
from tests.service.under_load.offering import Answers, closed, offered

SLOW = ("--dataset", "shop", "--engine", "tests.service.under_load.slow:Slow")
DEADLINE_S, SECONDS = 0.5, 2.0
BODIES: list[dict[str, Any]] = [{"vector": vector.tolist(), "k": 5} for vector in vectors()[:32]]


def overloaded(service: Service) -> tuple[float, Answers]:
    """Of what was accepted, the share that was answered as asked and within the deadline; and all answers."""
    alone = closed(service.url, BODIES, 8, 2.0)
    capacity = float(np.sum((alone["status"] == 200) & ~alone["fallback"])) / 2.0
    due = poisson(3 * capacity, SECONDS, np.random.default_rng(0))
    answers = offered(service.url, BODIES, due, 256, 20.0)
    assert len(answers) == len(due)
    assert set(answers["status"].tolist()) <= {200, 503, 504}
    in_time = answers["done_ns"] - answers["sent_ns"] <= DEADLINE_S * 1e9
    kept = (answers["status"] == 200) & ~answers["fallback"] & in_time
    return float(kept.sum() / np.sum(answers["status"] != 503)), answers


def test_what_is_accepted_is_answered_in_time_and_without_admission_is_not(folder: Path) -> None:
    with running(folder, *SLOW) as service:
        share, answers = overloaded(service)
        refused = answers["status"] == 503
        assert refused.mean() > 0.3
        # They are not logged line by line, which would cost more than all else.
        assert sum(": 503 " in line for line in service.said) < refused.sum() / 10
        assert service.ask("GET", "/readyz").status == 200
    everybody_in = {
        "BAKEOFF_SERVICE_ADMISSION__FIRST": "256",
        "BAKEOFF_SERVICE_ADMISSION__LEAST": "256",
        "BAKEOFF_SERVICE_ADMISSION__MOST": "256",
        "BAKEOFF_SERVICE_ADMISSION__QUEUE": "100000",
    }
    with running(folder, *SLOW, **everybody_in) as service:
        without, _ = overloaded(service)
    assert share > 0.7, (share, without)
    assert without < 0.5, (share, without)


def until(service: Service, line: str) -> None:
    """Blocks until the service's metrics hold a line."""
    for _ in range(1000):
        if f"\n{line}\n" in service.ask("GET", "/metrics").body:
            return
    raise AssertionError(f"never: {line}")


def reply(file: BinaryIO) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the next answer on a connection."""
    status = int(file.readline().split()[1])
    lines = iter(lambda: file.readline().decode().strip(), "")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return status, headers, file.read(int(headers["content-length"]))


def test_a_question_is_turned_away_by_its_head_and_its_connection_goes_on(folder: Path) -> None:
    held = folder / "held"
    environ = {
        VARIABLE: str(held),
        "BAKEOFF_SERVICE_ADMISSION__MOST": "1",
        "BAKEOFF_SERVICE_ADMISSION__QUEUE": "1",
        "BAKEOFF_SERVICE_ADMISSION__PATIENCE_S": "60",
        "BAKEOFF_SERVICE_DEADLINE_MS": "60000",
        "BAKEOFF_SERVICE_RETRIEVAL__LATE_S": "30",
    }
    engine = ("--dataset", "shop", "--engine", "tests.service.held:Held")
    head = b"POST /v1/recommendations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    body = b'{"vector": [1, 0, 0, 0, 0, 0, 0, 0]}'
    question = head + b"content-length: %d\r\n\r\n" % len(body) + body
    with running(folder, *engine, **environ) as service:
        held.touch()
        parts = urlsplit(service.url)
        where = (str(parts.hostname), parts.port or 0)
        with (
            socket.create_connection(where, 30) as first,
            socket.create_connection(where, 30) as waiting,
            socket.create_connection(where, 30) as second,
        ):
            first.sendall(question)
            until(service, "bakeoff_in_flight 1.0")
            waiting.sendall(question)
            until(service, "bakeoff_waiting 1.0")
            second.sendall(question[:-9])
            assert service.ask("GET", "/healthz").status == 200
            second.sendall(question[-9:])
            replies = second.makefile("rb")
            status, headers, content = reply(replies)
            assert (status, headers.get("retry-after")) == (503, "1"), (content, service.said[-3:])
            assert headers["x-request-id"] == json.loads(content)["request_id"]
            assert json.loads(content)["type"] == "/docs#overloaded"
            assert (
                service.ask("GET", "/v1/listings/similar").status == 404
            )  # a listing's name, and no question
            second.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n" + question)  # two at once
            assert [reply(replies)[0], reply(replies)[0]] == [200, 503]
            second.sendall(
                question.replace(b"host: localhost\r\n", b"host: localhost\r\nconnection: close\r\n")
            )
            assert reply(replies)[0] == 503
            assert replies.read() == b""
            held.unlink()
            assert [reply(one.makefile("rb"))[0] for one in (first, waiting)] == [200, 200]
        metrics = service.ask("GET", "/metrics").body
        assert 'bakeoff_requests_total{code="503",operation="recommend"} 3.0' in metrics
