"""One of several processes that share an index: it writes, and leads once none else does, until it is killed."""

from __future__ import annotations

import os
import random
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock, Thread
from time import sleep
from typing import Any

from service.catalogue.listing import Remove, Written
from service.catalogue.opening import open_store
from service.indexing import live as indexing
from service.indexing.collection import EngineChoice
from service.indexing.sharing import followed, shared
from service.indexing.sharing.shared import SharedIndex
from tests.unit.service.indexing.catalogues import SCHEMA, change

LEADS = "leads"
QUICK: tuple[tuple[Any, str, float], ...] = (
    (indexing, "_NOTE_S", 0.02),
    (followed, "LEASE_S", 0.2),
    (shared, "_GRACE_S", 0.4),
    (shared, "_TRY_S", 0.05),
    (shared, "_SETTLE_S", 0.1),
)


def share(folder: Path, place: str, server: str, seed: int, tell: Connection) -> None:
    """Sends every write that was acknowledged, and LEADS when it does; every fourth then rebuilds. Never returns."""
    # Whoever forks this process may have been started before it was set.
    os.environ["BAKEOFF_PGVECTOR_URL"] = server
    for module, name, value in QUICK:
        setattr(module, name, value)
    store = open_store(place, SCHEMA)
    index = SharedIndex(store, EngineChoice.of("pgvector", {}, {}), folder / "index")
    index.start()
    lock = Lock()

    def send(what: Any) -> None:
        with lock:
            tell.send(what)

    def write() -> None:
        rng = random.Random(seed)
        ids = [f"{seed}/{place}" for place in range(30)]
        while True:
            changes = [change(rng, ids) for _ in range(rng.randrange(1, 4))]
            for made, outcome in zip(changes, store.write(changes), strict=True):
                if isinstance(outcome, Written):
                    send((made.id, outcome.version, isinstance(made, Remove)))
            sleep(0.005)

    writing = Thread(target=write)
    writing.start()
    while not index.leads:
        sleep(0.005)
    send(LEADS)
    while seed % 4 == 3:
        index.rebuild()
    writing.join()
