"""Several processes that answer on one port, on a real server's engine."""

from __future__ import annotations

import http.client
import os
import resource
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.children import tree
from tests.servers import pgvector
from tests.servers.launch import UnavailableError
from tests.service import shop
from tests.service.launch import Service, refused, running
from tests.service.shop import ROWS, document

KILLS = (0, 1, 1, 0)  # of the first or the second worker: who leads, and who follows
WAIT_S = 60.0
KNOWN = 20  # listings that nobody changes


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        with pgvector.running(tmp_path_factory.mktemp("postgres")) as url:
            yield url
    except UnavailableError as error:
        pytest.skip(str(error))


@contextmanager
def serving(folder: Path, url: str, *options: str, **more: str) -> Iterator[Service]:
    given = ("--dataset", "shop", "--config", "service.yaml", "--engine", "pgvector", *options)
    with running(folder, *given, BAKEOFF_PGVECTOR_URL=url, **more) as service:
        yield service


def until(true: Callable[[], bool], what: object = "") -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def workers(service: Service) -> dict[int, int]:
    """Process ids by the number of the worker."""
    found = {}
    for pid in tree.living_below(service.process.pid):
        words = tree.command(pid).partition("bakeoff serve worker ")[2].split()
        if words:
            found[int(words[0]) - 1] = pid
    return found


class Traffic:
    """Writers and readers of a service, until they are ended. wrong: answers that should not have been."""

    def __init__(self, service: Service) -> None:
        self._service, self._ended = service, threading.Event()
        self.acknowledged: list[str] = []
        self.asked = self.lost = 0  # answers, and requests whose process was killed
        self.wrong: list[Any] = []
        tasks = [self._write, self._write, self._read, self._read]
        self._threads = [
            threading.Thread(target=task, args=(f"w{place}-",)) for place, task in enumerate(tasks)
        ]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(WAIT_S)

    def _write(self, name: str) -> None:
        number = 0
        while not self._ended.wait(0.02):
            number += 1
            waits = "?wait=searchable" if number % 8 == 0 else ""
            reply = self._tried("PUT", f"/v1/listings/{name}{number}{waits}", document())
            if reply is not None and reply.status in (200, 202):
                self.acknowledged.append(f"{name}{number}")

    def _read(self, _name: str) -> None:
        known = shop.vectors()
        while not self._ended.wait(0.01):
            row = self.asked % KNOWN
            body = {"vector": known[row].tolist(), "k": 3, "mode": "exact"}
            reply = self._tried("POST", "/v1/recommendations", body)
            if reply is not None and reply.status == 200:
                self.asked += 1
                ids = [hit["id"] for hit in reply.body["hits"]]
                if f"listing/{row}" not in ids or "fallback" in reply.body:
                    self.wrong.append((row, reply.body))

    def _tried(self, method: str, path: str, body: Any) -> Any:
        """The answer; None where its process was killed before it came."""
        try:
            reply = self._service.ask(method, path, body)
        except (OSError, http.client.HTTPException):
            self.lost += 1
            return None
        if reply.status not in (200, 202):
            self.wrong.append((method, path, reply))
        return reply


def agree(service: Service, listings: int) -> None:
    """Index and truth do, once everything has been applied."""

    def applied() -> bool:
        index = service.ask("GET", "/v1/service").body["index"]
        return index["applied"] == index["last_seq"]

    until(applied)
    found = service.ask("POST", "/v1/index:check").body
    assert (found["missing"], found["stale"], found["extra"], found["unknown_extra"]) == ([], [], [], 0)
    assert found["compared"] >= listings


def test_killed_one_after_the_other_they_come_back_and_nothing_is_lost(folder: Path, server: str) -> None:
    with serving(folder, server, "--workers", "2") as service:
        back = [0, 0]
        with Traffic(service) as traffic:
            for number in KILLS:
                before, asked = workers(service), traffic.asked
                assert before.keys() == {0, 1}
                os.kill(before[number], signal.SIGKILL)
                until(lambda asked=asked: traffic.asked > asked + 10, service.said)  # the other one answers
                back[number] += 1
                answers = f"worker {number + 1} answers again"
                until(lambda text=answers, count=back[number]: told(service, text) == count, service.said)
            # Too few files may be open to start another process, until the limit is what it was.
            limit = resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE)
            opened = len(list(Path(f"/proc/{service.process.pid}/fd").iterdir()))
            resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (opened, limit[1]))
            os.kill(workers(service)[0], signal.SIGKILL)
            until(lambda: told(service, "worker 1 could not be started") > 0, service.said)
            resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, limit)
            until(lambda: told(service, "worker 1 answers again") == back[0] + 1, service.said)
            until(lambda: len(traffic.acknowledged) > 100)
        assert traffic.wrong == []
        agree(service, ROWS + len(traffic.acknowledged))
        rebuilds: list[int] = []
        both = [threading.Thread(target=lambda: rebuilds.append(rebuild(service))) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert sorted(rebuilds) in (
            [200, 200],
            [200, 503],
        )  # the second is refused while the first is under way
        agree(service, ROWS + len(traffic.acknowledged))
        assert told(service, "killed by SIGKILL") == len(KILLS) + 1
        with Traffic(service) as last:
            until(lambda: len(last.acknowledged) > 40)
            assert service.stop() == 0
    with sqlite3.connect(folder / "served" / "shop" / "catalogue.sqlite") as connection:
        held = {id_ for (id_,) in connection.execute("select id from catalogue_listings")}
    assert held.issuperset(traffic.acknowledged + last.acknowledged)


def rebuild(service: Service) -> int:
    return int(service.ask("POST", "/v1/index:rebuild").status)


def requests(service: Service) -> int:
    text = service.ask("GET", "/metrics").body
    counted = [line for line in text.splitlines() if line.startswith("bakeoff_requests_total{")]
    return sum(int(float(line.split()[-1])) for line in counted)


def told(service: Service, text: str) -> int:
    return sum(text in line for line in service.said)


def test_a_rebuild_under_writes_loses_none_and_is_not_seen(folder: Path, server: str) -> None:
    with serving(folder, server, "--workers", "2") as service:
        with Traffic(service) as traffic:
            first = service.ask("GET", "/v1/service").body["index"]["generation"]
            state = service.ask("POST", "/v1/index:rebuild")
            assert state.status == 200
            assert state.body["generation"] != first
            asked = traffic.asked
            until(lambda: traffic.asked > asked + 50)
        assert (traffic.wrong, traffic.lost) == ([], 0)
        assert requests(service) >= traffic.asked + len(traffic.acknowledged)  # counted by two processes
        agree(service, ROWS + len(traffic.acknowledged))


def test_services_on_one_postgres_lead_and_follow_each_other(folder: Path, server: str) -> None:
    with ExitStack() as stack:

        def started(data: str) -> Service:
            options = ("--data", data)
            return stack.enter_context(serving(folder, server, *options, BAKEOFF_SERVICE_STORE=server))

        def leads(service: Service) -> bool:
            return bool(service.ask("GET", "/v1/service").body["index"]["leads"])

        one, other = started("one"), started("other")
        assert (leads(one), leads(other)) == (True, False)
        assert one.ask("PUT", "/v1/listings/a?wait=searchable", document()).status == 200
        assert other.ask("PUT", "/v1/listings/b?wait=searchable", document()).status == 200
        assert other.ask("POST", "/v1/index:rebuild").status == 200
        one.process.kill()
        assert other.ask("PUT", "/v1/listings/c?wait=searchable", document()).status == 200
        assert leads(other)
        agree(other, ROWS + 3)


def test_what_does_not_start_is_told_once(folder: Path) -> None:
    options = ("--dataset", "shop", "--workers", "3", "--engine", "pgvector")
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    code, errors = refused(folder, *options, BAKEOFF_PGVECTOR_URL=nowhere)
    assert (code, len(errors)) == (104, 1)
    assert "engine pgvector does not start" in errors[0]
