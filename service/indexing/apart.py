"""A collection filled in a process of its own: building a graph takes every processor for minutes, and in some bindings
Python's lock, which the process that answers needs.
"""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event

from engines.base import EngineError
from harness.children.start import ending, start
from service.catalogue.opening import open_store
from service.catalogue.schema import CatalogueSchema
from service.catalogue.store import Store
from service.indexing.collection import Collection, EngineChoice, RetiredError
from service.indexing.following import Follower

_LOOK_S = 0.2  # how often the process is asked whether it has ended, or is to
_NICE = 10  # it gives way to the process that answers


def fill(store: Store, choice: EngineChoice, path: Path, stopping: Event) -> int:
    """Fills a new collection in `path` with everything up to now, and closes it; returns the place in the outbox.

    The engine must be one that opens what was closed. Raises EngineError where that fails, RetiredError once `stopping`
    is set.
    """
    engine = (choice.name, choice.index.model_dump_json())
    child = start("bakeoff index", _fill, store.place, store.schema, engine, path)
    try:
        while not stopping.is_set():
            try:
                applied, problem = child.receive(_LOOK_S)
            except TimeoutError:
                continue
            except EOFError:
                raise EngineError(
                    f"the process that built it has ended: {ending(child.exit_code())}"
                ) from None
            if problem:
                raise EngineError(problem)
            return int(applied)
        raise RetiredError("the index is being closed")
    finally:
        child.end(graceful=False)


def _fill(place: str, schema: CatalogueSchema, engine: tuple[str, str], path: Path, tell: Connection) -> None:
    """In that process. engine: its name, and its index parameters as JSON."""
    os.nice(_NICE)
    try:
        store = open_store(place, schema)
        collection = Collection(EngineChoice.restored(*engine), schema, path)
        collection.create()
        follower = Follower(store, collection)
        follower.catch_up(store.last_seq())
        collection.refresh()
        collection.close()
        store.close()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told where it is dealt with
        tell.send((0, f"{type(error).__name__}: {error}"))
    else:
        tell.send((follower.applied, ""))
