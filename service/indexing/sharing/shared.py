"""The index of one of several processes: it follows while another one leads, and leads once none does."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

from engines.base import Capabilities, EngineError, Hits
from harness.errors import BakeoffError
from service.catalogue.store import Store
from service.indexing.checking import Differences
from service.indexing.collection import Asking, Collection, EngineChoice, RetiredError
from service.indexing.generations import NOTE, live_in
from service.indexing.live import LiveIndex
from service.indexing.sharing.followed import LEASE_S, FollowedIndex, OtherIndexError
from service.indexing.sharing.leading import Leading
from service.indexing.status import FolderLock, IndexStatus

Result = TypeVar("Result")
log = logging.getLogger(__name__)

_GRACE_S = LEASE_S + 1.0
_POLL_S = 0.02  # so often who leads looks for what the others have written
_TRY_S = 0.5  # so often it is tried to take the lead, and seen whether it is still held
# After one that has not ended in order: what it had sent has arrived by then, and where it only lost the lock it has
# noticed and stopped.
_SETTLE_S = 1.0
_LONGEST_PAUSE_S = 5.0  # between attempts that fail
_FIRST_START_S = 0.2  # so often it is looked for an index that another process may be building
_TELL_S = 5.0  # after which that is told


class SharedIndex(Asking):
    """See `LiveIndex`, whose methods these are. Of an engine that several processes may have open at once.

    Of all processes that share a catalogue in PostgreSQL one leads, by a lock there; with one in SQLite, of those that
    share the folder.
    """

    def __init__(self, store: Store, choice: EngineChoice, folder: Path) -> None:
        self._store, self._choice, self._folder = store, choice, folder
        self._lock = store.exclusive() or FolderLock(folder)
        self._index: LiveIndex | FollowedIndex | None = None
        self._leading: Leading | None = None
        self._taking: LiveIndex | None = None  # the last one that this process has started, or is starting
        self._subscribers: list[Callable[[int], None]] = []
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="catalogue-leading", daemon=True)
        self._looked_at = 0.0
        self.built_because = ""

    def start(self, prepare: Callable[[], None] = lambda: None) -> None:
        """Returns once the index can answer: opened or built by this process, or by another one that is waited for.

        prepare: called first where it is this one. Raises what the engine and the store raise.
        """
        waits_since = time.monotonic()
        while self._index is None:
            if self._lock.take():
                prepare()
                self._lead()
            else:
                followed = FollowedIndex(self._store, self._choice, self._folder)
                try:
                    followed.start()
                    self._index = followed
                except OtherIndexError:
                    time.sleep(_FIRST_START_S)
                    if time.monotonic() - waits_since > _TELL_S:
                        waits_since = math.inf
                        log.warning(
                            "another process keeps the index up, and has none of this engine with these parameters "
                            "yet: waiting for it. If the other one has other settings, start both with the same"
                        )
        self._thread.start()

    def _lead(self) -> None:
        """Takes over the index, this process having the lock; gives the lock back where that fails."""
        live = LiveIndex(
            self._store, self._choice, self._folder, poll_s=_POLL_S, locked=True, grace_s=_GRACE_S
        )
        self._taking = live
        try:
            former = live_in(self._store.meta(NOTE))
            if former is not None and not former.closed:
                self._stopping.wait(_SETTLE_S)
            if self._stopping.is_set():
                raise RetiredError("the index is being closed")
            live.subscribe(self._notify)
            live.start()
            leading = Leading(self._store, live)
        except BaseException:
            live.close()
            self._lock.release()
            raise
        self.built_because = live.built_because
        followed, self._index, self._leading = self._index, live, leading
        if followed is not None:
            log.warning("this process keeps the index up from now on: nobody else did")
            followed.close()

    def _notify(self, searchable: int) -> None:
        for notify in self._subscribers:
            notify(searchable)

    def _follow(self) -> None:
        """Leaves the index to another process, this one having lost the lock. Raises as `FollowedIndex.start`."""
        followed = FollowedIndex(self._store, self._choice, self._folder)
        followed.start()
        log.warning("this process has lost the lock of the index, and follows from now on")
        live, self._index, self._leading = self._index, followed, None
        if live is not None:
            live.close()

    def _run(self) -> None:
        pause_s = _TRY_S
        while not self._stopping.is_set():
            try:
                self._turn()
                pause_s = _TRY_S
            except Exception as error:  # engines raise what their clients raise; it is tried again
                if not self._stopping.is_set():
                    expected = isinstance(error, BakeoffError | EngineError | OSError)
                    told = "the index cannot be kept up or taken over, it is tried again in %.1f s: %s"
                    log.warning(told, pause_s, error, exc_info=not expected)
                    self._stopping.wait(pause_s)
                    pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _turn(self) -> None:
        now = time.monotonic()
        due = now - self._looked_at >= _TRY_S
        if due:
            self._looked_at = now
        if self._leading is None:
            if self._lock.take():
                self._lead()
            else:
                self._stopping.wait(_TRY_S)
        elif due and not self._lock.held():
            self._follow()
        else:
            self._leading.turn(self._stopping)

    def asked(self, ask: Callable[[Collection], Hits]) -> Hits:
        """An answer of a collection that is live, or was until now."""
        return self._with_current(lambda index: index.asked(ask))

    def _with_current(self, call: Callable[[LiveIndex | FollowedIndex], Result]) -> Result:
        while True:
            index = self._current
            try:
                return call(index)
            except RetiredError:
                if self._index is index:
                    raise
                # This process has begun to lead or to follow between the two lines above.

    @property
    def _current(self) -> LiveIndex | FollowedIndex:
        if self._index is None:
            raise RetiredError("the index has not been started, or is closed")
        return self._index

    @property
    def leads(self) -> bool:
        """Whether this process keeps the index up."""
        return self._leading is not None

    def subscribe(self, notify: Callable[[int], None]) -> None:
        """Has `notify` called while this process leads; see `LiveIndex.subscribe`."""
        self._subscribers.append(notify)

    @property
    def capabilities(self) -> Capabilities:
        """What the engine can do."""
        return self._with_current(lambda index: index.capabilities)

    def wait(self, seq: int, timeout_s: float) -> bool:
        """Whether everything up to a place in the outbox is searchable in every process within the time."""
        deadline = time.monotonic() + timeout_s
        while True:
            index = self._current
            if index.wait(seq, max(0.0, deadline - time.monotonic())):
                return True
            if self._index is index or time.monotonic() >= deadline:
                return False

    def status(self) -> IndexStatus:
        """How it is now, or was within the last second. Raises StoreError."""
        return self._with_current(lambda index: index.status())

    def check(self) -> Differences:
        """Compares the live collection with the catalogue, here or in the process that leads."""
        return self._with_current(lambda index: index.check())

    def rebuild(self) -> None:
        """Builds a new collection and puts it in the place of the live one, here or in the process that leads."""
        self._with_current(lambda index: index.rebuild())

    def close(self) -> None:
        """Stops leading or following, and closes the collection; a second call does nothing. The store stays."""
        self._stopping.set()
        try:
            if self._taking is not None:
                self._taking.close()
        finally:
            if self._thread.ident is not None:
                self._thread.join()
            index, self._index = self._index, None
            if index is not None:
                index.close()
            self._lock.release()
