"""Bulk requests as Elasticsearch and OpenSearch take them: several at once, every item of each checked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from math import ceil

import orjson

from engines.base import EngineError
from engines.http.client import HttpClient, HttpError

_BUSY = 429
_ATTEMPTS, _FIRST_PAUSE_S = 9, 0.1  # waits of 0.1, 0.2, ... 12.8 s: half a minute in all
_ANSWER = "filter_path=errors,items.*.status,items.*.error,items.*._id"
_LEAST_OPERATIONS = 50  # operations: a batch is not cut into smaller requests than this


class Bulk:
    """Writes to one index. retries: requests sent again because the server was too busy for them."""

    def __init__(self, engine: str, http: HttpClient, index: str, threads: int) -> None:
        self._engine = engine  # its name in messages
        self._http, self._target = http, f"/{index}/_bulk?{_ANSWER}"
        self._threads, self._pool = threads, ThreadPoolExecutor(threads, thread_name_prefix="bulk")
        self._lock = threading.Lock()
        self.retries = 0

    def write(self, rows: int, most: int, operations: Callable[[slice], list[bytes]]) -> None:
        """Sends rows 0 to `rows` - 1 in requests of up to `most`, one for each thread if there are enough of them.

        operations: makes those of some rows, in the thread that sends them. Returns or raises once all are answered.
        Raises EngineError with the first failure.
        """
        size = max(1, min(max(_LEAST_OPERATIONS, ceil(rows / self._threads)), most))
        chunks = [slice(start, start + size) for start in range(0, rows, size)]
        sent = [self._pool.submit(self._send, operations, chunk) for chunk in chunks]
        wait(sent)
        for answer in sent:
            answer.result()

    def close(self) -> None:
        self._pool.shutdown()

    def _send(self, operations_of: Callable[[slice], list[bytes]], chunk: slice) -> None:
        operations = operations_of(chunk)
        for attempt in range(_ATTEMPTS):
            operations, reason = self._try(operations)
            if not operations:
                return
            if attempt < _ATTEMPTS - 1:
                with self._lock:
                    self.retries += 1
                time.sleep(_FIRST_PAUSE_S * 2**attempt)
        raise EngineError(
            f"{self._engine}: the server was too busy for {len(operations)} writes {_ATTEMPTS} times ({reason}); "
            "lower thread_count or chunk_size, or give it more memory"
        )

    def _try(self, operations: list[bytes]) -> tuple[list[bytes], str]:
        """Returns the operations that the server refused because it was busy, and its message."""
        try:
            answer = orjson.loads(self._http.post(self._target, b"".join(operations)))
        except HttpError as error:
            if error.status == _BUSY:
                return operations, str(error)
            raise
        if not answer["errors"]:
            return [], ""
        items = [item for entry in answer["items"] for item in entry.values()]
        failed = [item for item in items if "error" in item and item["status"] != _BUSY]
        if failed:
            first = failed[0]
            raise EngineError(
                f"{self._engine}: {len(failed)} of {len(items)} writes failed, first id {first['_id']}: "
                f"HTTP {first['status']}: {_reason(first['error'])}"
            )
        busy = [row for row, item in enumerate(items) if item["status"] == _BUSY]
        if not busy or len(items) != len(operations):
            raise EngineError(
                f"{self._engine}: the answer contradicts itself: it reports errors, but has {len(items)} items"
            )
        return [operations[row] for row in busy], _reason(items[busy[0]]["error"])


def _reason(error: dict[str, object]) -> str:
    """An error's type and reason, with those of its causes."""
    text, cause = f"{error.get('type')}: {error.get('reason')}", error.get("caused_by")
    return f"{text} ({_reason(cause)})" if isinstance(cause, dict) else text
