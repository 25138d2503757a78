"""One index for several processes: here two of them in one, each with connections of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from engines.base import EngineError, Hits
from service.catalogue.listing import Put
from service.catalogue.opening import open_store
from service.catalogue.sql import SqlStore
from service.indexing.collection import Collection, EngineChoice
from service.indexing.generations import Generations, OvertakenError
from service.indexing.live import LiveIndex
from service.indexing.sharing import followed, shared
from service.indexing.sharing.board import Board
from service.indexing.sharing.leading import GONE
from service.indexing.sharing.shared import SharedIndex
from service.indexing.status import FolderLock
from tests.unit.service.indexing.catalogues import SCHEMA, WAIT_S, change, fields, until

GRACE_S = 0.4
Opener = Callable[[], tuple[SqlStore, SharedIndex]]


@pytest.fixture(params=["sqlite", "postgres"])
def opened(
    request: pytest.FixtureRequest, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Opener]:
    """Opens the same catalogue and index, as often as it is called; the first leads, the others follow."""
    monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", postgres)
    monkeypatch.setattr(followed, "LEASE_S", GRACE_S / 2)
    for name, value in (("_GRACE_S", GRACE_S), ("_TRY_S", 0.05), ("_SETTLE_S", 0.1)):
        monkeypatch.setattr(shared, name, value)
    place = str(tmp_path / "catalogue.sqlite") if request.param == "sqlite" else emptied(postgres)
    choice = EngineChoice.of("pgvector", {}, {})
    with ExitStack() as stack:

        def opening() -> tuple[SqlStore, SharedIndex]:
            store = open_store(place, SCHEMA)
            stack.callback(store.close)
            index = SharedIndex(store, choice, tmp_path / "index")
            stack.callback(index.close)
            index.start()
            return store, index

        yield opening


def emptied(url: str) -> str:
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute("drop table if exists catalogue_listings, catalogue_state, catalogue_meta")
    return url


def written(store: SqlStore, count: int) -> int:
    rng = random.Random(count)
    store.write([Put(f"id-{place}", fields(rng)) for place in range(count)])
    return store.last_seq()


def test_one_leads_and_both_answer_with_what_either_has_written(opened: Opener) -> None:
    rng = random.Random(1)
    (first, leader), (second, follower) = opened(), opened()
    assert (leader.status().leads, follower.status().leads) == (True, False)
    for store in (first, second, first, second):
        store.write([change(rng, [f"id-{place}" for place in range(40)]) for _ in range(20)])
        seq = store.last_seq()
        for index in (follower, leader):
            assert index.wait(seq, WAIT_S)
        for listing in store.scan(limit=5):
            for index in (follower, leader):
                assert listing.number in index.query(listing.vector, 3, exact=True).ids
    for index in (follower, leader):
        found = index.check()
        assert found.agree
        assert found.compared == first.count()
    assert not follower.wait(first.last_seq() + 1, 0.2)


def test_a_rebuild_asked_of_who_follows_is_done_by_who_leads(opened: Opener) -> None:
    (store, leader), (_, follower) = opened(), opened()
    seq = written(store, 50)
    former = leader.status().generation
    follower.rebuild()
    assert follower.status().generation == leader.status().generation != former
    assert follower.wait(seq, WAIT_S)
    assert len(follower.query(np.ones(8, np.float32), 100).ids) == 50
    assert leader.status().leftovers == 0
    thread = Thread(target=leader.rebuild)
    thread.start()
    until(lambda: leader.status().rebuilding)
    with pytest.raises(EngineError, match="a rebuild is under way"):
        follower.rebuild()
    thread.join()


def test_while_a_former_collection_may_be_asked_it_is_kept_up_too(opened: Opener) -> None:
    (store, leader), (_, follower) = opened(), opened()
    written(store, 20)
    held = follower._current
    assert isinstance(held, followed.FollowedIndex)
    before = held._current  # as of a process that has not looked yet
    thread = Thread(target=leader.rebuild)
    thread.start()
    until(lambda: leader.status().generation != before.generation.name)
    listing = fields(random.Random(9))
    store.write([Put("late", listing)])
    assert leader.wait(store.last_seq(), WAIT_S)
    number = store.get(["late"])["late"].number
    assert listing.vector is not None
    for collection in (before.collection, held._current.collection):
        if collection is not before.collection or collection._open:
            assert number in collection.query(listing.vector, 1, exact=True).ids
    thread.join()


@pytest.mark.parametrize("late", [False, True])
def test_an_answer_counts_only_while_its_collection_is_whole(opened: Opener, late: bool) -> None:
    (store, leader), (_, follower) = opened(), opened()
    written(store, 20)
    assert follower.wait(store.last_seq(), WAIT_S)
    asked: list[Collection] = []

    def ask(collection: Collection) -> Hits:
        asked.append(collection)
        hits = collection.query(np.ones(8, np.float32), 5)
        if late and len(asked) == 1:
            leader.rebuild()  # at the end of which this collection is gone
        return hits

    assert len(follower.asked(ask).ids) == 5
    assert len(asked) == 1 + late
    assert len(set(map(id, asked))) == len(asked)


def test_who_follows_leads_once_nobody_does(opened: Opener) -> None:
    (_, leader), (second, follower) = opened(), opened()
    leader.close()
    until(lambda: follower.status().leads)
    seq = written(second, 30)
    assert follower.wait(seq, WAIT_S)
    assert follower.check().agree
    third_store, third = opened()
    assert not third.status().leads
    assert third.wait(third_store.last_seq(), WAIT_S)


def test_what_who_leads_does_not_live_to_do_the_next_one_does(
    opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    (store, leader), (_, follower) = opened(), opened()
    written(store, 10)
    leader._current.close()
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(follower.check)
        leading = leader._leading
        assert leading is not None
        until(lambda: leading._work is not None)
        leader.close()
        assert found.result(WAIT_S).compared == 10
    assert "could not be told" not in caplog.text


def test_what_ended_with_who_led_is_asked_for_again(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    (store, leader), (_, follower) = opened(), opened()
    written(store, 10)
    board = Board(store)
    with ThreadPoolExecutor(1) as pool:
        with monkeypatch.context() as hanging:
            hanging.setattr(leader._leading, "turn", lambda stopping: stopping.wait(0.01))
            found = pool.submit(follower.check)
            until(lambda: board.read().question is not None)
            question = board.read().question
            assert question is not None
            board.answer(question[0], None, GONE)  # as the next one to lead does first
        assert found.result(WAIT_S).compared == 10


def test_how_long_it_is_behind_is_told_though_who_leads_says_nothing(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    (store, leader), (_, follower) = opened(), opened()
    assert follower.status().behind_s == 0
    with monkeypatch.context() as hanging:
        hanging.setattr(leader._leading, "turn", lambda stopping: stopping.wait(0.01))
        written(store, 5)
        until(lambda: follower.status().behind_s > 0.2)
    until(lambda: follower.status().behind_s == 0)


def test_who_has_lost_the_lock_leaves_the_index_to_the_other(opened: Opener, postgres: str) -> None:
    (store, leader), (_, follower) = opened(), opened()
    seq = written(store, 30)
    assert leader.wait(seq, WAIT_S)
    if isinstance(leader._lock, FolderLock):
        assert leader._lock.held()  # that of a folder is not lost while its process lives
        return
    end_the_connection_with_the_lock(postgres)
    until(lambda: leader.status().leads != follower.status().leads and not leader._lock.held())
    until(lambda: follower.status().leads or leader.status().leads)
    for index in (leader, follower):
        seq = written(store, 40)
        assert index.wait(seq, WAIT_S)
        assert index.check().agree


def end_the_connection_with_the_lock(url: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        sql = "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
        assert connection.execute(sql).fetchall() == [(True,)]


def test_who_cannot_follow_the_next_one_says_so(opened: Opener) -> None:
    (store, leader) = opened()
    generations = Generations(store)
    assert generations.live is not None
    generations.live = replace(generations.live, about="other")
    generations.note(1)
    with pytest.raises(EngineError, match="of another engine or other parameters"):
        leader._follow()


def test_who_was_overtaken_changes_nothing(opened: Opener) -> None:
    (store, leader), (second, _) = opened(), opened()
    written(store, 5)
    before, after = Generations(store), Generations(second)
    index = leader._current
    assert isinstance(index, LiveIndex)
    assert after.live is not None
    with index._passes:
        after.go_live(after.live, after.live.applied + 1)
        with pytest.raises(OvertakenError):
            before.note(4)
        with pytest.raises(EngineError, match="another process keeps the index up"):
            index._generations.note(3)
    assert Generations(store).live == after.live
