"""The live collection follows the catalogue, and is opened or built at the start."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from engines.filters import Eq
from harness.errors import ConfigurationError
from service.catalogue.listing import Absent, Fields, Patch, Put, Remove, Written
from service.catalogue.sql import SqlStore
from service.indexing.collection import EngineChoice, RetiredError
from tests.unit.service.indexing.catalogues import (
    ENGINES,
    WAIT_S,
    agreed,
    choice,
    fields,
    index_of,
    write,
)


@pytest.mark.parametrize("label", ENGINES)
def test_what_is_written_is_searchable_and_what_is_sold_is_gone(
    label: str, store: SqlStore, tmp_path: Path
) -> None:
    index = index_of(store, label, tmp_path)
    index.start()
    (first,) = store.write([Put("a", fields(random.Random(1)))])
    assert isinstance(first, Written)
    agreed(index, first.seq)
    vector = store.get(["a"])["a"].vector
    assert list(index.query(vector, 3).ids) == [first.number]
    (patched,) = store.write([Patch("a", Fields({"brand": "Zara"}))])
    assert isinstance(patched, Written)
    agreed(index, patched.seq)
    assert list(index.query(vector, 3, Eq("brand", "Zara"), exact=True).ids) == [first.number]
    (sold,) = store.write([Remove("a")])
    assert isinstance(sold, Written)
    agreed(index, sold.seq)
    assert len(index.query(vector, 3).ids) == 0
    assert store.write([Remove("a")]) == [Absent()]
    index.close()


@pytest.mark.parametrize("label", ENGINES)
def test_it_is_there_after_closing_and_follows_what_was_written_meanwhile(
    label: str, store: SqlStore, tmp_path: Path
) -> None:
    for life in range(3):
        write(store, 60, seed=2 * life)
        index = index_of(store, label, tmp_path)
        index.start()
        kept = choice(label).kind.capabilities.persistent
        assert (index.built_because == "") == (kept and life > 0), index.built_because
        agreed(index, write(store, 60, seed=2 * life + 1))
        index.close()
        index.close()
    assert len(list((tmp_path / "index").iterdir())) == 2  # the live one, and the lock


def test_other_parameters_build_another_collection_and_the_former_is_removed(
    store: SqlStore, tmp_path: Path
) -> None:
    write(store, 50)
    for label, because in (
        ("faiss", "there was none"),
        ("faiss-ivf", "it was of other parameters"),
        ("qdrant-edge", "it was of other parameters"),
        ("qdrant-edge", ""),
    ):
        index = index_of(store, label, tmp_path)
        index.start()
        assert index.built_because == because
        agreed(index, store.last_seq())
        index.close()
        assert len(list((tmp_path / "index").iterdir())) == 2


def test_a_collection_that_is_gone_or_lacks_listings_is_built_again(store: SqlStore, tmp_path: Path) -> None:
    write(store, 50)
    index = index_of(store, "qdrant-edge", tmp_path)
    index.start()
    engine = index._current.collection.engine
    lost = next(iter(store.scan()))
    engine.delete(np.array([lost.number]))
    index.close()
    index = index_of(store, "qdrant-edge", tmp_path)
    index.start()
    assert "listings" in index.built_because
    agreed(index, store.last_seq())
    name = index.status().generation
    index.close()
    for path in sorted((tmp_path / "index" / name).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    index = index_of(store, "qdrant-edge", tmp_path)
    index.start()
    assert "holds no collection" in index.built_because
    agreed(index, store.last_seq())
    index.close()


def test_two_processes_do_not_share_a_folder(store: SqlStore, tmp_path: Path) -> None:
    first, second = index_of(store, "bruteforce", tmp_path), index_of(store, "bruteforce", tmp_path)
    first.start()
    with pytest.raises(ConfigurationError, match="another process has the index there open"):
        second.start()
    first.close()
    second.start()
    second.close()


def test_once_closed_nothing_is_answered_and_nobody_waits(store: SqlStore, tmp_path: Path) -> None:
    index = index_of(store, "bruteforce", tmp_path)
    with pytest.raises(RetiredError, match="not been started"):
        index.query(np.zeros(8, np.float32), 1)
    index.start()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(index.wait, 10**6, WAIT_S)
        while not index._projector.waiting:
            pass
        index.close()
        assert not waiting.result(5)
    with pytest.raises(RetiredError):
        index.query(np.zeros(8, np.float32), 1)


def test_parameters_that_an_engine_does_not_have_are_all_named() -> None:
    with pytest.raises(ConfigurationError) as raised:
        EngineChoice.of("faiss", {"Mm": 3}, {"efSearch": 0})
    assert len(raised.value.problems) == 2
    with pytest.raises(ConfigurationError, match="unknown engine 'fais'"):
        EngineChoice.of("fais", {}, {})
