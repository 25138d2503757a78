"""Queries in flight to a real PostgreSQL: answers and their tokens, settings, failures, time-outs, closing."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from select import select
from typing import Any

import psutil
import pytest

from engines.base import EngineError
from engines.pgvector import binary, local
from engines.pgvector.connection import Session, Sessions, prepare_server
from engines.pgvector.pipeline import Pipeline
from engines.server.endpoint import Endpoint
from engines.server.launched import Launched
from engines.server.pipelined import AT_ONCE

NUMBER = "select $1::int8 from pg_sleep($2)"
CONNECTED = "select count(*) from pg_stat_activity where application_name = 'bakeoff'"


@pytest.fixture
def sessions(launched: Launched) -> Iterator[Sessions]:
    with closing(Sessions(Endpoint(launched.settings["URL"]))) as made:
        prepare_server(made.mine().connection)
        made.configure({"hnsw.ef_search": "64"})
        yield made


def send(pipeline: Pipeline, token: int, after_s: float = 0.0, prepare: bool = True) -> None:
    pipeline.send(token, NUMBER, (binary.integer(token), binary.double(after_s)), prepare)


def told(answer: Any) -> int | str:
    return str(answer) if isinstance(answer, EngineError) else binary.unpack_id(answer.get_value(0, 0))


def collected(pipeline: Pipeline, count: int, wait_s: float = 20.0) -> dict[int, int | str]:
    """What comes within the time, by token and in the order in which it came. Each token comes once."""
    found: dict[int, int | str] = {}
    deadline = time.monotonic() + wait_s
    while len(found) < count and time.monotonic() < deadline:
        select([pipeline], [], [], 0.05)
        for token, answer in pipeline.collect():
            assert token not in found
            found[token] = told(answer)
    time.sleep(0.02)
    assert not pipeline.collect()
    return found


def connected(sessions: Sessions) -> int:
    """Connections to the server, without that of `sessions`."""
    return sessions.mine().number(CONNECTED) - 1


@pytest.mark.parametrize("prepare", [True, False])
def test_answers_belong_to_their_tokens_however_late_they_come(sessions: Sessions, prepare: bool) -> None:
    with closing(Pipeline(sessions, most=AT_ONCE + 4)) as pipeline:
        for turn in range(3):
            tokens = range(1000 * turn, 1000 * turn + 100)
            for token in tokens:
                send(pipeline, token, 0.01 * (token % 5), prepare)
            assert collected(pipeline, 100) == {token: token for token in tokens}
        assert connected(sessions) == AT_ONCE + 4  # opened once, and used again


def test_no_more_are_in_the_server_than_it_is_allowed_and_the_others_wait_in_order(
    sessions: Sessions,
) -> None:
    with closing(Pipeline(sessions, most=2)) as pipeline:
        for token in range(12):
            send(pipeline, token, 0.02)
            assert connected(sessions) <= 2
        order = list(collected(pipeline, 12))
    assert sorted(order) == list(range(12))
    assert all(abs(place - token) <= 1 for place, token in enumerate(order))


def test_a_connection_is_opened_when_all_others_are_busy(sessions: Sessions) -> None:
    with closing(Pipeline(sessions)) as pipeline:
        for token in range(5):
            send(pipeline, token)
            assert collected(pipeline, 1) == {token: token}
        assert connected(sessions) == 1


def test_every_connection_has_the_settings_given_last(sessions: Sessions) -> None:
    shown = (
        "select (current_setting('hnsw.ef_search')::int8 * 1000 + current_setting("
        "'max_parallel_workers_per_gather')::int8 * 100 + extract(epoch from current_setting('statement_timeout')"
        "::interval)::int8) from pg_sleep(0.02)"
    )
    with closing(Pipeline(sessions, most=6)) as pipeline:
        for effort in (64, 77):
            sessions.configure({"hnsw.ef_search": str(effort)})
            for token in range(18):
                pipeline.send(token, shown, (), bool(token % 2))
            assert set(collected(pipeline, 18).values()) == {effort * 1000 + 60}
        assert connected(sessions) == 6


def test_failures_belong_to_their_tokens_too(sessions: Sessions) -> None:
    statements = {0: "select 7::int8", 1: "select 1::int8 / 0", 2: "select nothing from nowhere"}
    with closing(Pipeline(sessions, most=4)) as pipeline:
        for prepare in (True, False):
            for token in range(30):
                pipeline.send(token, statements[token % 3], (), prepare)
            found = collected(pipeline, 30)
            expected = {0: 7, 1: "pgvector: division by zero", 2: 'relation "nowhere" does not exist'}
            assert len(found) == 30
            for token, answer in found.items():
                assert answer == 7 if token % 3 == 0 else str(expected[token % 3]) in str(answer)
        assert connected(sessions) == 4


def test_settings_that_are_refused_fail_each_query_and_are_made_again(sessions: Sessions) -> None:
    with closing(Pipeline(sessions, most=2)) as pipeline:
        sessions._settings, sessions.version = "select '[0]'::vector; set hnsw.ef_search = 0", 99
        for token in range(4):
            send(pipeline, token)
        assert all("outside the valid range" in str(answer) for answer in collected(pipeline, 4).values())
        sessions.configure({"hnsw.ef_search": "64"})
        send(pipeline, 9)
        assert collected(pipeline, 1) == {9: 9}


def test_what_takes_too_long_is_given_up_and_the_rest_goes_on(sessions: Sessions) -> None:
    with closing(Pipeline(sessions, most=2, timeout_s=0.4)) as pipeline:
        for token, after_s in enumerate((0.0, 30.0, 0.0, 0.0)):
            send(pipeline, token, after_s)
        assert collected(pipeline, 3) == {0: 0, 2: 2, 3: 3}
        late = collected(pipeline, 1)
        assert "no answer for 0.4 s" in str(late.pop(1))
        for token in (11, 12, 13):  # two take both connections, the third never gets one
            send(pipeline, token, 30.0)
        assert [str(each)[:40] for each in collected(pipeline, 3).values()] == [
            "pgvector: no answer for 0.4 s (Operation"
        ] * 3
        send(pipeline, 20)
        assert collected(pipeline, 1) == {20: 20}


def end_backends(sessions: Sessions) -> None:
    sessions.mine().run(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
        "where application_name = 'bakeoff' and pid <> pg_backend_pid()"
    )


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


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_closing_in_flight_leaves_nothing_behind(sessions: Sessions) -> None:
    before = open_files()
    pipeline = Pipeline(sessions, most=8)
    for token in range(20):
        send(pipeline, token, 0.3)
    assert collected(pipeline, 1, wait_s=0.2) == {}
    pipeline.close()
    assert open_files() == before
    deadline = time.monotonic() + 20
    while connected(sessions) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert connected(sessions) == 0


def test_a_session_for_a_thread_has_the_same_settings(launched: Launched, sessions: Sessions) -> None:
    """What `query` is asked on, beside what the pipeline has been shown to have."""
    session: Session = sessions.mine()
    assert session.texts("select current_setting('hnsw.ef_search')") == ["64"]
    assert session.texts("select current_setting('statement_timeout')") == ["1min"]
    assert session.texts("select current_setting('max_parallel_workers_per_gather')") == ["0"]
