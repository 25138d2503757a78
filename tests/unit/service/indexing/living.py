"""A service's life that ends by a kill: it starts, is checked, writes and projects, until it is killed."""

from __future__ import annotations

import random
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock, Thread

from service.catalogue.listing import Remove, Written
from service.indexing import live as indexing
from tests.unit.service.indexing.catalogues import change, index_of, open_catalogue

WRITERS = 3
Acknowledged = tuple[str, int, bool]  # the id, the version, whether it was removed


def live(folder: Path, label: str, seed: int, rebuilds: bool, tell: Connection) -> None:
    """Sends what the start found to differ, then every write that was acknowledged. Never returns."""
    indexing._NOTE_S = 0.0 if seed % 2 else 0.02  # noted so often that a kill comes in between
    store = open_catalogue(folder)
    index = index_of(store, label, folder)
    index.start()
    tell.send((index.check(), index.built_because))
    lock = Lock()

    def write(writer: int) -> None:
        rng = random.Random(seed * WRITERS + writer)
        ids = [f"{writer}/{place}" for place in range(30)]
        while True:
            changes = [change(rng, ids) for _ in range(rng.randrange(1, 4))]
            outcomes = store.write(changes)
            with lock:
                for made, outcome in zip(changes, outcomes, strict=True):
                    if isinstance(outcome, Written):
                        tell.send((made.id, outcome.version, isinstance(made, Remove)))

    threads = [Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    while rebuilds:
        index.rebuild()
    threads[0].join()
