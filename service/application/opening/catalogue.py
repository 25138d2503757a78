"""The catalogue of a plan: opened and filled, and what makes the vectors that its documents lack."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from harness.progress import Progress
from service.application.opening.loading import load
from service.application.planning.plan import Plan
from service.catalogue.opening import catalogue_place, open_store
from service.catalogue.sql import SqlStore
from service.writing.destination import Encoder

Say = Callable[[str], None]


def open_catalogue(made: Plan, stack: ExitStack) -> SqlStore:
    """As it was left; `stack` closes it again. Raises ConfigurationError, StoreError and OSError."""
    made.folder.mkdir(parents=True, exist_ok=True)
    store = open_store(catalogue_place(made.settings.store, made.folder), made.schema)
    stack.callback(store.close)
    return store


def fill(store: SqlStore, made: Plan, progress: Progress, say: Say) -> None:
    """With the listings that an empty one begins with, if there are any. Raises as `load`."""
    if made.dataset is not None:
        load(store, made.dataset, progress, say)


def encoder_of(made: Plan) -> Encoder | None:
    """What makes the vectors that documents lack."""
    if made.model is None:
        return None
    from models.encoding.documents import ListingTower

    return ListingTower(made.model, made.schema.fill)
