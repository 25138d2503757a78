"""Queries in flight to a PostgreSQL that is lost, gone, silent, or not to be reached."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from engines.pgvector import local
from engines.pgvector.connection import Sessions
from engines.pgvector.pipeline import Pipeline
from engines.server.endpoint import Endpoint
from engines.server.launched import Launched
from tests.unit.engines.pgvector.in_flight import collected, end_backends, open_files, send


def test_a_connection_that_ends_costs_its_own_query_alone(sessions: Sessions) -> None:
    with closing(Pipeline(sessions, most=5)) as pipeline:
        for token in range(5):
            send(pipeline, token, 0.05)
        assert len(collected(pipeline, 5)) == 5
        for token in (10, 11):
            send(pipeline, token, 30.0)
        end_backends(sessions)  # of two that are busy, and three that are idle
        found = collected(pipeline, 2)
        assert sorted(found) == [10, 11]
        assert all("terminating connection" in str(answer) for answer in found.values())
        for token in range(20, 30):
            send(pipeline, token)
        assert collected(pipeline, 10) == {token: token for token in range(20, 30)}


@pytest.fixture
def own(installed: None, tmp_path: Path) -> Iterator[Launched]:
    with local.running(tmp_path, cpus=2, memory_bytes=512 << 20) as server:
        yield server


def test_a_killed_server_costs_what_it_was_asked_and_is_asked_again_when_it_is_back(own: Launched) -> None:
    sessions = Sessions(Endpoint(own.settings["URL"]))
    with closing(sessions), closing(Pipeline(sessions, most=4)) as pipeline:
        for token in range(4):
            send(pipeline, token, 0.1)
        assert len(collected(pipeline, 4)) == 4
        for token in range(20):  # four in the server, the others wait
            send(pipeline, token, 30.0 * (token < 4))
        assert own.kill_and_start is not None
        own.kill_and_start()
        found = collected(pipeline, 20)
        lost = [found.pop(token) for token in range(4)]
        assert all("closed the connection" in str(answer) for answer in lost)
        assert found == {token: token for token in range(4, 20)}


def test_a_server_that_is_gone_fails_each_query_once(own: Launched) -> None:
    sessions = Sessions(Endpoint(own.settings["URL"]))
    with closing(sessions), closing(Pipeline(sessions, most=4)) as pipeline:
        for token in range(4):
            send(pipeline, token, 0.1)
        assert len(collected(pipeline, 4)) == 4
        for token in range(20):
            send(pipeline, token, 30.0)
        server = psutil.Process(own.pid)
        for each in (*server.children(recursive=True), server):
            with suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs([server], 10)
        found = collected(pipeline, 20)
        assert len(found) == 20
        assert all("closed the connection" in str(found.pop(token)) for token in range(4))
        assert all("start the server, or set" in str(answer) for answer in found.values())


def test_a_server_that_cannot_be_reached_fails_each_query_once(tmp_path: Path) -> None:
    address = f"postgresql://nobody@/postgres?host={tmp_path}"
    before = open_files()
    with closing(Sessions(Endpoint(address))) as sessions, closing(Pipeline(sessions, most=4)) as pipeline:
        for token in range(30):
            send(pipeline, token)
        found = collected(pipeline, 30)
        assert len(found) == 30
        assert all("start the server, or set" in str(answer) for answer in found.values())
    assert open_files() == before


def test_a_server_that_is_silent_fails_each_query_and_says_how_long_it_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("line", "pipeline"):
        monkeypatch.setattr(f"engines.pgvector.{module}.CONNECT_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/postgres"
        with (
            closing(Sessions(Endpoint(address))) as sessions,
            closing(Pipeline(sessions, most=2)) as pipeline,
        ):
            for token in range(4):
                send(pipeline, token)
            found = collected(pipeline, 4)
    assert sorted(found) == [0, 1, 2, 3]
    assert all("no answer for 0.3 s; start the server, or set" in str(answer) for answer in found.values())


def test_threads_that_have_ended_leave_no_connection_behind(sessions: Sessions) -> None:
    """A window of a closed loop has threads of its own, and a run has hundreds of windows."""
    count = (
        "select count(*) from pg_stat_activity where application_name = current_setting('application_name')"
    )
    before = sessions.mine().number(count)
    for _ in range(20):
        threads = [
            threading.Thread(target=lambda: sessions.mine().number("select 1::bigint")) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sessions.mine().number(count) <= before + 3
