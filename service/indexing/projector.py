"""The thread that keeps the live collection up with the catalogue."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition, Event, Thread

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 5.0  # between attempts that fail


class Projector:
    """Calls `step` whenever there may be something to do, and again after a pause where it fails.

    step: does some of the work and returns the place in the outbox up to which everything is searchable, and whether
    there is more to do. poll_s: how often it is called where nothing wakes it, for what other processes write.
    failures, error: how often it has failed, and how it did the last time ("" once it has succeeded).
    """

    def __init__(self, step: Callable[[], tuple[int, bool]], poll_s: float) -> None:
        self._step, self._poll_s = step, poll_s
        self._wake, self._stopping = Event(), Event()
        self._progress = Condition()
        self._notify: list[Callable[[int], None]] = []
        self.searchable = 0  # the place in the outbox up to which everything is
        self.waiting = 0  # callers that wait for something to be searchable
        self.failures = 0
        self.error = ""
        self.current_at = time.monotonic()  # when there was last nothing to do
        self._thread = Thread(target=self._run, name="catalogue-projector", daemon=True)

    def start(self, searchable: int) -> None:
        """Begins, where everything up to `searchable` is so already."""
        self.searchable = searchable
        self._thread.start()

    def subscribe(self, notify: Callable[[int], None]) -> None:
        """Has `notify` called after each step with the place up to which all is searchable; it must be quick."""
        self._notify.append(notify)

    def wake(self) -> None:
        """Something has been written."""
        self._wake.set()

    def wait(self, seq: int, timeout_s: float) -> bool:
        """Whether everything up to a place in the outbox is searchable within the time; waits until it is."""
        with self._progress:
            self.waiting += 1
            try:
                self.wake()
                return self._progress.wait_for(
                    lambda: self.searchable >= seq or self._stopping.is_set(), timeout_s
                ) and (self.searchable >= seq)
            finally:
                self.waiting -= 1

    def stop(self) -> None:
        """Ends after the step under way; a second call does nothing."""
        self._stopping.set()
        self._wake.set()
        with self._progress:
            self._progress.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                searchable, more = self._step()
            except Exception as error:  # noqa: BLE001 - an engine's client may raise anything; it is counted and told
                self.failures += 1
                self.error = f"{type(error).__name__}: {error}"
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                continue
            pause_s, self.error = _FIRST_PAUSE_S, ""
            with self._progress:
                self.searchable = max(self.searchable, searchable)
                self._progress.notify_all()
            for notify in self._notify:
                notify(self.searchable)
            if not more:
                self.current_at = time.monotonic()
                self._wake.wait(self._poll_s)
