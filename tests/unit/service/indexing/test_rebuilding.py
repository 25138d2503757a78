"""The live collection replaced while it serves, and what fails meanwhile."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from engines.base import Batch, EngineError
from engines.bruteforce.adapter import BruteForce
from harness.children.start import Child, start
from service.catalogue.listing import Put
from service.catalogue.sql import SqlStore
from service.indexing import apart
from service.indexing.collection import Collection, EngineChoice, RetiredError
from service.indexing.live import LiveIndex
from tests.unit.service.indexing.catalogues import (
    agreed,
    fields,
    index_of,
    until,
    write,
)


@pytest.mark.parametrize("label", ["bruteforce", "faiss", "qdrant-edge"])
def test_a_rebuild_under_writes_and_queries_loses_none_and_has_no_gap(
    label: str, store: SqlStore, tmp_path: Path
) -> None:
    index = index_of(store, label, tmp_path)
    write(store, 200)
    store.write([Put("stays", fields(random.Random(5)))])
    stays = store.get(["stays"])["stays"]
    index.start()
    done = Event()

    def writing(seed: int) -> int:
        last = 0
        while not done.is_set():
            last = write(store, 3, seed=(seed := seed + 1))
        return last

    def asking() -> int:
        asked = 0
        while not done.is_set():
            hits = index.query(stays.vector, 1, exact=True)
            assert list(hits.ids) == [stays.number]
            asked += 1
        return asked

    with ThreadPoolExecutor(4) as threads:
        writers = [threads.submit(writing, 1000 * place) for place in (1, 2)]
        readers = [threads.submit(asking) for _ in range(2)]
        names = {index.status().generation}
        try:
            for _ in range(2):
                index.rebuild()
                names.add(index.status().generation)
        finally:
            done.set()
        assert all(reader.result() for reader in readers)
        last = max(writer.result() for writer in writers)
    assert len(names) == 3
    assert index.status().leftovers == 0
    agreed(index, last)
    index.close()


@pytest.mark.parametrize("label", ["bruteforce", "faiss-ivf"])
def test_a_collection_that_is_worn_is_rebuilt_by_itself(label: str, store: SqlStore, tmp_path: Path) -> None:
    index = index_of(store, label, tmp_path, renews=True)
    index.start()
    before = index.status().generation
    for seed in range(2):
        rng = random.Random(seed)
        store.write([Put(f"id-{place}", fields(rng)) for place in range(600)])
        if seed == 0:
            agreed(index, store.last_seq())
            assert not index._current.collection.worn
    until(lambda: index.status().generation != before and not index.status().rebuilding)
    agreed(index, store.last_seq())
    assert index.status().renewal_error == ""
    assert index._current.collection.engine.stats().details["rows"] == store.count()  # no former versions
    index.close()


def test_a_builder_that_is_killed_leaves_the_live_collection_as_it_is(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = index_of(store, "faiss", tmp_path)
    index.start()
    agreed(index, write(store, 50))
    before = index.status().generation

    def killed(*arguments: Any) -> Child:
        child = start(*arguments)
        child.process.kill()
        return child

    monkeypatch.setattr(apart, "start", killed)
    with pytest.raises(EngineError, match="killed by SIGKILL"):
        index.rebuild()
    status = index.status()
    assert (status.generation, status.leftovers, status.rebuilding) == (before, 0, False)
    agreed(index, write(store, 50, seed=1))
    index.close()


def test_closing_ends_a_rebuild(store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[Child] = []

    def watched(*arguments: Any) -> Child:
        children.append(start(*arguments))
        return children[-1]

    monkeypatch.setattr(apart, "start", watched)
    index = index_of(store, "faiss", tmp_path)
    index.start()
    with ThreadPoolExecutor(1) as threads:
        rebuilding = threads.submit(index.rebuild)
        until(lambda: bool(children))
        index.close()
        assert isinstance(rebuilding.exception(10), RetiredError)
    assert children[0].process.poll() is not None
    assert len(list((tmp_path / "index").iterdir())) == 2


class Failing(BruteForce):
    """Refuses to write while `refuses` is set, and to be built while `unbuildable` is."""

    refuses = Event()
    unbuildable = Event()

    def index(self, batch: Batch) -> None:
        if self.refuses.is_set():
            raise EngineError("the engine is down")
        super().index(batch)

    def create(self, schema: Any) -> None:
        if schema.dim and self.unbuildable.is_set():  # of 0 dimensions it is made when it is closed
            raise EngineError("no room for another collection")
        super().create(schema)


@pytest.fixture
def failing(store: SqlStore, tmp_path: Path) -> Iterator[LiveIndex]:
    Failing.refuses.clear()
    Failing.unbuildable.clear()
    made = EngineChoice.of(f"{__name__}:Failing", {}, {})
    index = LiveIndex(store, made, tmp_path / "index", poll_s=0.02)
    index.start()
    yield index
    index.close()


def test_while_the_engine_fails_writes_are_kept_and_the_failures_are_told(
    store: SqlStore, failing: LiveIndex
) -> None:
    agreed(failing, write(store, 20))
    Failing.refuses.set()
    last = write(store, 20, seed=1)
    assert not failing.wait(last, 0.3)
    status = failing.status()
    assert status.failures >= 2
    assert "the engine is down" in status.error
    assert status.applied < status.last_seq == last
    assert status.behind_s > 0
    assert not failing.check().missing  # what is pending is told apart
    assert failing.check().pending > 0
    Failing.refuses.clear()
    agreed(failing, last)
    assert (failing.status().error, failing.status().behind_s) == ("", 0)


def test_a_rebuild_that_fails_leaves_the_live_collection_as_it_is(
    store: SqlStore, failing: LiveIndex
) -> None:
    agreed(failing, write(store, 20))
    before = failing.status().generation
    Failing.unbuildable.set()
    with pytest.raises(EngineError, match="no room"):
        failing.rebuild()
    status = failing.status()
    assert (status.generation, status.leftovers, status.rebuilding) == (before, 0, False)
    agreed(failing, write(store, 20, seed=1))


def test_a_former_collection_that_cannot_be_removed_is_counted_and_removed_later(
    store: SqlStore, failing: LiveIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed(failing, write(store, 20))
    before = failing.status().generation

    def refused(_: Collection) -> None:
        raise EngineError("no")

    with monkeypatch.context() as patched:
        patched.setattr(Collection, "drop", refused)
        failing.rebuild()
    status = failing.status()
    assert status.generation != before
    assert status.leftovers == 1
    failing.rebuild()
    assert failing.status().leftovers == 0
    agreed(failing, write(store, 20, seed=1))
