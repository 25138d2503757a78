"""Queries in flight to a real PostgreSQL: answers and their tokens, settings, failures, time-outs, closing."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from engines.pgvector.connection import Session, Sessions
from engines.pgvector.pipeline import Pipeline
from engines.server.launched import Launched
from engines.server.pipelined import AT_ONCE
from tests.unit.engines.pgvector.in_flight import collected, connected, open_files, send


@pytest.mark.parametrize("prepare", [True, False])
def test_answers_belong_to_their_tokens_however_late_they_come(sessions: Sessions, prepare: bool) -> None:
    with closing(Pipeline(sessions, most=AT_ONCE + 4)) as pipeline:
        for turn in range(3):
            tokens = range(1000 * turn, 1000 * turn + 100)
            for token in tokens:
                send(pipeline, token, 0.01 * (token % 5), prepare)
            assert collected(pipeline, 100) == {token: token for token in tokens}
        assert connected(sessions) == AT_ONCE + 4  # opened once, and used again


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_are_in_the_server_than_it_is_allowed_and_the_others_wait_in_order(
    sessions: Sessions, most: int
) -> None:
    with closing(Pipeline(sessions, most=most)) as pipeline:
        for token in range(12):
            # Of two that run beside each other either may end first, so one of them keeps to itself for long.
            send(pipeline, token, 2.0 if most > 1 and not token else 0.02)
            assert connected(sessions) <= most
        order = list(collected(pipeline, 12))
    assert order == (list(range(12)) if most == 1 else [*range(1, 12), 0])


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
