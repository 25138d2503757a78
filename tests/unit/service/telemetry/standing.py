"""An index that says of itself what a test wants."""

from __future__ import annotations

from service.database.errors import StoreError
from service.indexing.status import IndexStatus


class Index:
    """In place of a live one."""

    def __init__(self) -> None:
        self.last_seq = self.applied = self.failures = 0
        self.fails = False

    def status(self) -> IndexStatus:
        if self.fails:
            raise StoreError("its disk is full")
        return IndexStatus("one", "faiss", self.last_seq, self.applied, 0.0, self.failures, "", False, "", 0)
