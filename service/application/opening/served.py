"""The index as the routes see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from service.catalogue.store import Store
from service.indexing.live import LiveIndex
from service.indexing.sharing.shared import SharedIndex


class Served:
    """Follows `service.api.parts.ServedIndex`."""

    def __init__(self, index: LiveIndex | SharedIndex, store: Store) -> None:
        self._index, self._store = index, store

    def wait(self, seq: int, timeout_s: float) -> bool:
        """Whether a place of the outbox became searchable in time."""
        return self._index.wait(seq, timeout_s)

    def state(self) -> Mapping[str, Any]:
        """How it stands."""
        return asdict(self._index.status())

    def ready(self) -> str:
        """Why it cannot answer; "" where it can. That it is of the right model was made sure of at the start."""
        # An empty catalogue's index has to answer, too.
        vector = np.ones(self._store.schema.engine.dim, np.float32)
        for listing in self._store.scan(limit=1):
            vector = listing.vector
        try:
            self._index.query(vector, 1)
        except Exception as error:  # noqa: BLE001 - adapters raise what their client raises
            return f"the index does not answer: {type(error).__name__}: {error}"
        return ""

    def check(self) -> Mapping[str, Any]:
        """How index and catalogue differ."""
        return asdict(self._index.check())

    def rebuild(self) -> Mapping[str, Any]:
        """Builds the index anew; how it stands then."""
        self._index.rebuild()
        return self.state()
