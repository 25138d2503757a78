"""Bulk requests, several at once, every item of each checked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

import orjson

from engines.base import EngineError
from engines.http import HttpClient, HttpError

_BUSY = 429
_TRIES, _FIRST_PAUSE_S = 9, 0.1  # waits of 0.1, 0.2, ... 12.8 s: half a minute of a server that is too busy
_ANSWER = "filter_path=errors,items.*.status,items.*.error,items.*._id"
T = TypeVar("T")


class Bulk:
    """Writes to one index. retries: requests sent again because the server was too busy for them."""

    def __init__(self, http: HttpClient, index: str, threads: int) -> None:
        self._http, self._target = http, f"/{index}/_bulk?{_ANSWER}"
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="bulk")
        self._lock = threading.Lock()
        self.retries = 0

    def write(self, chunks: Sequence[T], operations: Callable[[T], list[bytes]]) -> None:
        """Sends a request for each chunk, made of its operations on the thread that sends it.

        Returns or raises once all are answered. Raises EngineError with the first failure.
        """
        sent = [self._pool.submit(self._send, operations, chunk) for chunk in chunks]
        wait(sent)
        for answer in sent:
            answer.result()

    def close(self) -> None:
        self._pool.shutdown()

    def _send(self, operations_of: Callable[[T], list[bytes]], chunk: T) -> None:
        operations = operations_of(chunk)
        for attempt in range(_TRIES):
            if attempt:
                with self._lock:
                    self.retries += 1
                time.sleep(_FIRST_PAUSE_S * 2 ** (attempt - 1))
            operations = self._try(operations)
            if not operations:
                return
        raise EngineError(
            f"opensearch: {len(operations)} writes were refused as too many (HTTP 429) {_TRIES} times; "
            "lower thread_count or chunk_size, or give the server more memory"
        )

    def _try(self, operations: list[bytes]) -> list[bytes]:
        """Returns the operations that the server was too busy for."""
        try:
            answer = orjson.loads(self._http.post(self._target, b"".join(operations)))
        except HttpError as error:
            if error.status == _BUSY:
                return operations
            raise
        if not answer["errors"]:
            return []
        items = [item for entry in answer["items"] for item in entry.values()]
        failed = [item for item in items if "error" in item and item["status"] != _BUSY]
        if failed:
            first = failed[0]
            raise EngineError(
                f"opensearch: {len(failed)} of {len(items)} writes failed, first id {first['_id']}: "
                f"HTTP {first['status']}: {_reason(first['error'])}"
            )
        return [
            operation for operation, item in zip(operations, items, strict=True) if item["status"] == _BUSY
        ]


def _reason(error: dict[str, Any]) -> str:
    """An error's type and reason, down to what caused it."""
    text, cause = f"{error.get('type')}: {error.get('reason')}", error.get("caused_by")
    return f"{text} ({_reason(cause)})" if isinstance(cause, dict) else text
