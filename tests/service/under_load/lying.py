"""A service that lies: answers changed between it and who asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from tests.service.relay import relayed


class Lies:
    """Serves each listing that was removed in the next answer, one hit outside the filter in every tenth, and keeps
    every tenth write to itself, acknowledged. Counts what it did.
    """

    def __init__(self) -> None:
        self.removed: list[str] = []
        self.sold = self.outside = self.unwritten = self._asked = self._put = 0
        self._lock = threading.Lock()

    def instead(self, method: str, path: str) -> dict[str, Any] | None:
        """The acknowledgement of a write that is not passed on."""
        with self._lock:
            if method == "DELETE":
                self.removed.append(unquote(path.split("/")[3].partition("?")[0]))
            self._put += method == "PUT"
            if method != "PUT" or self._put % 10:
                return None
            self.unwritten += 1
            return {"outcome": "written", "searchable": True}

    def change(self, _method: str, _path: str, status: int, answer: Any) -> tuple[int, Any]:
        """An answer to a question, in place."""
        if status != 200 or "hits" not in answer:
            return status, answer
        with self._lock:
            self._asked += 1
            # Not the newest: its removal has to have been acknowledged for longer than is tolerated.
            if len(self.removed) > 20 and answer["hits"]:
                answer["hits"][-1]["id"] = self.removed[-20]
                self.sold += 1
            if self._asked % 10 == 0 and answer["hits"]:
                answer["hits"][0]["attributes"] = {"brand": "none", "price": -1.0}
                self.outside += 1
        return status, answer


@contextmanager
def between(url: str, lies: Lies | None) -> Iterator[str]:
    """The address of one that asks the service at `url`; without lies it only passes on."""
    with relayed(url) if lies is None else relayed(url, lies.change, lies.instead) as address:
        yield address
