"""Which answers are told as slow, and what of them."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from engines.filters import Eq
from service.retrieval.values import Answer, Request, Took
from service.telemetry.requests.asked import NOW, Asked
from service.telemetry.requests.logs import formatter
from service.telemetry.requests.slow import SlowLog

ANSWER = Answer(
    (), "approximate", "default", stages=(Took("engine", 10, 290_000_000), Took("retrieve", 5, 1))
)


def asked() -> Asked:
    found = Asked("1", "2")
    found.answered(Request(7, where=Eq("brand", "COS")), ANSWER, 5_000_000, 0)
    return found


def log_of(clock: list[float]) -> SlowLog:
    return SlowLog(100.0, "faiss", {"ef": 64}, clock=lambda: clock[0])


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records]


def test_a_slow_answer_is_told_with_all_it_depends_on(caplog: pytest.LogCaptureFixture) -> None:
    log = log_of([0.0])
    log.ended(asked(), "recommend", 99.9)
    log.ended(Asked("1", "2"), "put", 5000.0)  # no question
    assert not caplog.records
    log.ended(asked(), "recommend", 300.04)
    (found,) = told(caplog)
    assert found["stages_ms"] == {"admission": 5.0, "engine": 290.0, "retrieve": 0.0}
    assert (found["where"], found["k"], found["mode"]) == ({"brand": "COS"}, 7, "approximate")
    assert (found["engine"], found["search"], found["took_ms"]) == ("faiss", {"ef": 64}, 300.0)
    NOW.set(asked())
    (line,) = [formatter("text").format(record) for record in caplog.records]
    assert ' where={"brand": "COS"} k=7 ' in line
    assert ' trace_id="2"' in line


def test_a_flood_is_cut_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    log = log_of(now)
    for _ in range(50):
        log.ended(asked(), "recommend", 200.0)
    assert [one["left_out"] for one in told(caplog)] == [0] * 5
    now[0] = 1.0
    log.ended(asked(), "recommend", 200.0)
    assert told(caplog)[-1]["left_out"] == 45
    for _ in range(10):
        log.ended(asked(), "recommend", 200.0)
    log.close()
    assert caplog.records[-1].getMessage() == "6 more slow answers were left out of this log"
    assert logging.getLevelName(caplog.records[-1].levelno) == "WARNING"
