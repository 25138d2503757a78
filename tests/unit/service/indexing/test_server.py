"""A catalogue and its index on a real server: both in one PostgreSQL."""

from __future__ import annotations

import random
import time
from pathlib import Path

import psycopg
import pytest

from service.catalogue.listing import Put
from service.catalogue.opening import open_store
from service.indexing.collection import EngineChoice
from service.indexing.live import LiveIndex
from tests.servers import pgvector
from tests.servers.launch import UnavailableError
from tests.unit.service.indexing.catalogues import SCHEMA, change, fields

WAIT_S = 30.0


def agreed(index: LiveIndex, seq: int) -> None:
    assert index.wait(seq, WAIT_S), index.status()
    found = index.check()
    assert found.agree, found


def collections(url: str) -> int:
    """How many of ours the server holds."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select count(*) from pg_tables where tablename like 'bakeoff_%'"
        ).fetchone()
    assert found is not None
    return int(found[0])


def test_it_is_followed_rebuilt_once_it_has_grown_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        with pgvector.running(tmp_path / "server") as url:
            monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", url)
            follow_rebuild_and_reopen(url, tmp_path / "index")
    except UnavailableError as error:
        pytest.skip(str(error))


def follow_rebuild_and_reopen(url: str, folder: Path) -> None:
    rng = random.Random(1)
    store = open_store(url, SCHEMA)
    choice = EngineChoice.of("pgvector", {}, {})
    index = LiveIndex(store, choice, folder, poll_s=0.05)
    index.start()
    first = index.status().generation
    for _ in range(5):
        store.write([change(rng, [f"id-{place}" for place in range(60)]) for _ in range(40)])
        agreed(index, store.last_seq())
    assert index.status().generation == first
    store.write(
        [Put(f"id-{place}", fields(rng)) for place in range(1000)]
    )  # which began with none has no graph
    deadline = time.monotonic() + WAIT_S
    while index.status().generation == first or index.status().rebuilding:
        assert time.monotonic() < deadline, index.status()
        time.sleep(0.02)
    agreed(index, store.last_seq())
    assert (index.status().leftovers, collections(url)) == (0, 1)
    index.close()
    again = LiveIndex(store, choice, folder)
    again.start()
    assert again.built_because == ""
    agreed(again, store.last_seq())
    again.close()
    store.close()
