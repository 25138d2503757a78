"""Killed at any point, index and truth agree after the next start, and what was acknowledged is there."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from service.catalogue.listing import Put, Remove
from service.catalogue.sql import SqlStore
from service.indexing.checking import Differences
from tests.unit.service.indexing.catalogues import choice, fields, index_of, open_catalogue
from tests.unit.service.indexing.living import Acknowledged, live

KILLS = 15  # each kind of life at each kind of end
START_S = 60.0


@pytest.mark.parametrize("label", ["bruteforce", "faiss", "qdrant-edge"])
def test_killed_again_and_again_nothing_acknowledged_is_lost(label: str, tmp_path: Path) -> None:
    choice(label)  # skips where its client is missing
    rng = random.Random(4)
    last: dict[str, Acknowledged] = {}
    for life in range(KILLS):
        started, acknowledged = one_life(tmp_path, label, life, rng)
        if started is not None:
            differences, built_because = started
            assert differences.agree, (life, differences)
            assert not differences.pending
            # Built again only where nothing says what the collection holds, not because it was found to be wrong.
            assert built_because in ("", "there was none", "it was not closed in order"), life
        last |= {written[0]: written for written in acknowledged}
        store = open_catalogue(tmp_path)
        assert lost(store, last) == [], life
        store.close()
    assert len(last) > 30
    store = open_catalogue(tmp_path)
    index = index_of(store, label, tmp_path)
    index.start()
    assert index.check().agree
    assert index.status().leftovers == 0
    assert len(list((tmp_path / "index").iterdir())) == 2  # the live one, and the lock
    index.close()
    store.close()


def one_life(
    folder: Path, label: str, life: int, rng: random.Random
) -> tuple[tuple[Differences, str] | None, list[Acknowledged]]:
    """Every third life ends during a rebuild, every fifth perhaps before it has started, the others while it writes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.unit.service.indexing.living", "faiss", "qdrant_edge"])
    hear, tell = context.Pipe(duplex=False)
    child = context.Process(target=live, args=(folder, label, life, life % 3 == 2, tell))
    child.start()
    tell.close()
    if life % 5 != 4:
        assert hear.poll(START_S), "did not start"
    sleep(rng.uniform(0, 1.2 if life % 3 == 2 else 0.15))  # a process that builds takes a second to start
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    told: list[Any] = []
    try:
        while True:
            told.append(hear.recv())
    except (EOFError, OSError):
        pass
    hear.close()
    assert child.exitcode == -signal.SIGKILL
    return told[0] if told else None, told[1:]


def lost(store: SqlStore, last: dict[str, Acknowledged]) -> list[Acknowledged]:
    """What was acknowledged and is not there, or is there though its removal was: nobody else has written since, but
    for what was under way when it was killed.
    """
    rows = {row.number: row for row in store.changes_after(0, 10_000)}
    with store._database.reading() as session:
        numbers = dict(session.read("select id, number from catalogue_listings"))
    found = []
    for id_, version, removed in last.values():
        row = rows.get(numbers.get(id_, -1))
        if row is None or row.version < version or (row.version == version and row.removed != removed):
            found.append((id_, version, removed))
    return found


def test_a_lost_write_would_be_noticed(tmp_path: Path) -> None:
    store = open_catalogue(tmp_path)
    rng = random.Random(1)
    store.write([Put("a", fields(rng)), Put("b", fields(rng)), Remove("b")])
    there: dict[str, Acknowledged] = {"a": ("a", 1, False), "b": ("b", 2, True)}
    assert lost(store, there) == []
    for planted in (("c", 1, False), ("a", 2, False), ("a", 1, True), ("b", 2, False)):
        assert lost(store, there | {planted[0]: planted}) == [planted]
    store.close()
