"""Requests to Vespa, and writes that are sent again where Vespa asks for it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Lock

from engines.base import EngineError
from engines.http.client import HttpClient, HttpError
from engines.server.endpoint import REQUEST_TIMEOUT_S, Endpoint

Operation = tuple[str, str, bytes]  # method, target, body
_BUSY = (429, 503, 504)  # too many requests; no node can take it just now; none took it in time
_PATIENCE_S = 120.0  # for how long one document is sent again
_PAUSES_S = (0.02, 2.0)  # before the first repetition, and at most


class Client(HttpClient):
    """An `HttpClient` that sends a key as Vespa takes it."""

    def __init__(self, endpoint: Endpoint, timeout_s: float = REQUEST_TIMEOUT_S, **headers: str) -> None:
        """headers: by name, with `_` for `-`. An API key is sent as a bearer token, as Vespa expects it."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if endpoint.api_key is not None:
            given["Authorization"] = f"Bearer {endpoint.api_key}"
        super().__init__(endpoint, given, timeout_s)


class Feeder:
    """Writes, many in flight: a thread and a connection each.

    retries: requests sent again, after a pause, because Vespa was too busy.
    """

    def __init__(self, client: Client, workers: int) -> None:
        self.retries = 0
        self._client, self._workers, self._lock = client, workers, Lock()
        self._pool = ThreadPoolExecutor(workers, "vespa-feed")

    def run(self, number: int, operation: Callable[[int], Operation]) -> None:
        """Carries out operation(0) to operation(number - 1), each of which may be repeated, in any order.

        Returns once all are acknowledged. The first that fails ends it: raises EngineError.
        """
        turns, failures = count(), list[Exception]()

        def work() -> None:
            for turn in turns:
                if turn >= number or failures:
                    return
                try:
                    self._send(*operation(turn))
                except Exception as error:  # noqa: BLE001 - raised below
                    failures.append(error)

        running = [self._pool.submit(work) for _ in range(min(self._workers, number))]
        try:
            for future in running:
                future.result()
        except BaseException:
            failures.append(EngineError("vespa: feeding was interrupted"))  # the workers see it and stop
            raise
        if failures:
            raise failures[0]

    def _send(self, method: str, target: str, body: bytes) -> None:
        deadline, (pause_s, longest_s) = time.monotonic() + _PATIENCE_S, _PAUSES_S
        while True:
            try:
                self._client.send(method, target, body)
                return
            except HttpError as error:
                if error.status not in _BUSY or time.monotonic() > deadline:
                    raise
            with self._lock:
                self.retries += 1
            time.sleep(pause_s * random.uniform(0.5, 1.5))  # apart from the other threads
            pause_s = min(2 * pause_s, longest_s)

    def close(self) -> None:
        """Ends the threads, and with them their connections."""
        self._pool.shutdown()
