"""Queries in flight to a PostgreSQL, as the tests of the pipeline send and collect them."""

from __future__ import annotations

import time
from pathlib import Path
from select import select
from typing import Any

from engines.base import EngineError
from engines.pgvector import binary
from engines.pgvector.connection import Sessions
from engines.pgvector.pipeline import Pipeline

NUMBER = "select $1::int8 from pg_sleep($2)"
CONNECTED = "select count(*) from pg_stat_activity where application_name = 'bakeoff'"


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


def end_backends(sessions: Sessions) -> None:
    """Has the server end every connection to it, without that of `sessions`."""
    sessions.mine().run(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
        "where application_name = 'bakeoff' and pid <> pg_backend_pid()"
    )


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
