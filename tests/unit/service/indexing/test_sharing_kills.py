"""Whoever leads is killed, again and again: another one leads, nothing is lost, and questions have right answers."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest

from service.catalogue.listing import Put
from service.catalogue.opening import open_store
from service.catalogue.sql import SqlStore
from service.indexing.collection import EngineChoice
from service.indexing.sharing.followed import FollowedIndex, OtherIndexError
from service.indexing.sharing.shared import SharedIndex
from tests.unit.service.indexing.catalogues import SCHEMA, fields
from tests.unit.service.indexing.leading import LEADS, QUICK, share
from tests.unit.service.indexing.living import Acknowledged
from tests.unit.service.indexing.test_kills import lost

STEADY = 10  # listings that nobody changes
WAIT_S = 60.0


class Sharer:
    """A process that shares the index."""

    def __init__(self, folder: Path, place: str, server: str, seed: int) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.unit.service.indexing.leading", "psycopg"])
        self._hear, tell = context.Pipe(duplex=False)
        self._process = context.Process(target=share, args=(folder, place, server, seed, tell))
        self._process.start()
        tell.close()
        self.acknowledged: list[Acknowledged] = []
        self.leads = False

    def hear(self) -> None:
        """Takes in what it has sent."""
        while self._hear.poll():
            try:
                told: Any = self._hear.recv()
            except (EOFError, OSError):
                return
            if told == LEADS:
                self.leads = True
            else:
                self.acknowledged.append(told)

    def kill(self) -> None:
        assert self._process.pid is not None
        assert self._process.is_alive()
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.join()
        self.hear()
        self._hear.close()


class Asking:
    """Asks for what nobody changes, all the time."""

    def __init__(self, store: SqlStore, index: FollowedIndex) -> None:
        self.asked, self.wrong = 0, list[Any]()
        self._store, self._index, self._ended = store, index, Event()
        self._thread = Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        steady = list(self._store.get([f"steady-{place}" for place in range(STEADY)]).values())
        while not self._ended.wait(0.002):
            listing = steady[self.asked % STEADY]
            try:
                found = self._index.query(listing.vector, 1, exact=True).ids
            except Exception as error:  # noqa: BLE001 - whatever it is, it is no answer
                found = error
            self.asked += 1
            if isinstance(found, Exception) or list(found) != [listing.number]:
                self.wrong.append((listing.number, found))

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


@pytest.mark.parametrize(("where", "kills"), [("sqlite", 8), ("postgres", 20)])
def test_who_leads_is_killed_again_and_again(
    where: str, kills: int, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", postgres)
    for module, name, value in QUICK:
        monkeypatch.setattr(module, name, value)
    place = postgres if where == "postgres" else str(tmp_path / "catalogue.sqlite")
    if where == "postgres":
        with psycopg.connect(postgres) as connection:
            connection.execute("drop table if exists catalogue_listings, catalogue_state, catalogue_meta")
    rng = random.Random(7)
    choice = EngineChoice.of("pgvector", {}, {})
    with ExitStack() as stack:
        store = open_store(place, SCHEMA)
        stack.callback(store.close)
        store.write([Put(f"steady-{number}", fields(rng)) for number in range(STEADY)])
        sharers = [Sharer(tmp_path, place, postgres, seed) for seed in range(2)]
        stack.callback(lambda: [sharer.kill() for sharer in sharers])
        following = FollowedIndex(store, choice, tmp_path / "index")
        stack.callback(following.close)
        until(lambda: started(following))
        asking = Asking(store, following)
        stack.callback(asking.end)
        last: dict[str, Acknowledged] = {}
        for kill in range(kills):
            until(lambda: any(sharer.hear() or sharer.leads for sharer in sharers))
            before = asking.asked
            time.sleep(rng.uniform(0, 0.3))
            leader = next(sharer for sharer in sharers if sharer.leads)
            leader.kill()
            sharers.remove(leader)
            last |= {written[0]: written for written in leader.acknowledged}
            sharers.append(Sharer(tmp_path, place, postgres, 2 + kill))
            until(lambda before=before: asking.asked > before + 5)
            assert asking.wrong == []
    store = open_store(place, SCHEMA)
    last |= {written[0]: written for sharer in sharers for written in sharer.acknowledged}
    assert lost(store, last) == []
    assert len(last) > 100
    index = SharedIndex(store, choice, tmp_path / "index")
    index.start()
    assert index.wait(store.last_seq(), WAIT_S)
    found = index.check()
    assert found.agree, found
    until(lambda: index.status().leftovers == 0)
    index.close()
    store.close()


def started(index: FollowedIndex) -> bool:
    try:
        index.start()
    except OtherIndexError:  # nobody has made one yet
        return False
    return True


def until(true: Any) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)
