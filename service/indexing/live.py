"""The collection that answers: opened or filled at the start, kept up, and replaced without a gap."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread

from engines.base import Capabilities, EngineError, Hits
from harness.errors import ConfigurationError
from service.catalogue.store import Store
from service.database.errors import StoreError
from service.indexing.building import Builder, Built, Former
from service.indexing.checking import Differences, compare
from service.indexing.collection import Asking, Collection, EngineChoice, RetiredError
from service.indexing.generations import Generations, OvertakenError
from service.indexing.projector import Projector
from service.indexing.status import FolderLock, IndexStatus

_NOTE_S = 1.0  # at most so often it is noted how far a durable engine is: what comes after is applied again
_RENEW_S = 60.0  # at most so often a collection is rebuilt by itself


class LiveIndex(Asking):
    """The index of a catalogue, in an engine. Queries may come from any thread.

    folder: where embedded engines keep their collections, each in a folder of its own. poll_s: how often it is looked
    for what other processes have written. renews: whether a collection is rebuilt by itself once it is worn. locked:
    whether the caller keeps other processes away, which a lock on the folder does otherwise. grace_s: for which other
    processes may still ask a collection that is live no more; until then it is kept up, too.
    """

    leads = True  # it keeps the index up, see `service.indexing.sharing`

    def __init__(
        self,
        store: Store,
        choice: EngineChoice,
        folder: Path,
        *,
        poll_s: float = 0.5,
        renews: bool = True,
        locked: bool = False,
        grace_s: float = 0.0,
    ) -> None:
        self._store, self._choice, self._folder = store, choice, folder
        self._stopping = Event()  # ends a build under way
        self._builder = Builder(store, choice, folder, self._stopping)
        self._projector = Projector(self._step, poll_s)
        self._passes = Lock()  # whoever has it may apply changes, note and swap
        self._building = Lock()
        self._noted_at = time.monotonic()
        self._renews, self._renew_at, self._renewal_error = renews, 0.0, ""
        self._renewal: Thread | None = None
        self._former = Former(self._builder, self._stopping, grace_s)
        self._clearing = Thread(target=self._clear, name="catalogue-clearing", daemon=True)
        self._live: Built | None = None
        self._lock = None if locked else FolderLock(folder)
        self.built_because = ""  # why `start` did not open the collection that it had; "" where it did

    def start(self) -> None:
        """Opens the live collection and brings it up with the catalogue, or builds one; returns once it can answer.

        Opened is one of a durable engine, or one that was closed in order. One that was not, was made with other
        parameters, cannot be opened or has not as many listings as the catalogue is built anew: `built_because`.
        Raises ConfigurationError where another process has the folder, and what the engine or the store raises.
        """
        with self._building:
            if self._lock is not None and not self._lock.take():
                raise ConfigurationError(
                    f"{self._folder}: another process has the index there open; end it, or name another folder"
                )
            self._generations = Generations(self._store)
            self._live = self._opened() or self._built()
            self._former.replaced(None)
            if self._former.grace_s:
                self._clearing.start()
            else:
                self._remove_others()
            self._builder.remove_unknown(self._generations.names())
            self._store.subscribe(lambda _seq: self._projector.wake())
            self._projector.start(self._live.follower.applied)

    def _opened(self) -> Built | None:
        known = self._generations.live
        if known is None or not known.is_of(self._choice, self._store.schema.engine):
            self.built_because = "there was none" if known is None else "it was of other parameters"
            return None
        if not (self._choice.kind.capabilities.durable or known.closed):
            self.built_because = "it was not closed in order"
            return None
        self._generations.note(known.applied)
        try:
            return self._builder.opened(known)
        except (StoreError, RetiredError):
            raise
        except Exception as error:  # noqa: BLE001 - a damaged collection may raise anything, and the truth is at hand
            self.built_because = f"it could not be used: {error}"
            return None

    def _built(self) -> Built:
        built = self._builder.filled(self._generations.begin(self._choice, self._store.schema.engine))
        self._generations.go_live(built.generation, built.follower.applied)
        return built

    def _step(self) -> tuple[int, bool]:
        """Applies what has been written; see `Projector`."""
        with self._passes:
            live, now = self._current, time.monotonic()
            asked = [live] if self._former.asked is None else [live, self._former.asked]
            more = [built.advance(waited_for=bool(self._projector.waiting)) for built in asked]
            if now - self._noted_at >= _NOTE_S and self._choice.kind.capabilities.durable:
                self._generations.note(live.follower.applied)
                self._noted_at = now
        if self._renews and live.collection.worn and now >= self._renew_at and not self._building.locked():
            self._renew_at = now + _RENEW_S
            self._renewal = Thread(target=self._renew, name="catalogue-renewal", daemon=True)
            self._renewal.start()
        return min(built.searchable for built in asked), any(more)

    def _renew(self) -> None:
        try:
            self.rebuild()
            self._renewal_error = ""
        except Exception as error:  # noqa: BLE001 - the live one goes on, this is told and tried again
            self._renewal_error = f"{type(error).__name__}: {error}"

    def subscribe(self, notify: Callable[[int], None]) -> None:
        """Has `notify` called with the place in the outbox up to which all is searchable, again and again."""
        self._projector.subscribe(notify)

    def wait(self, seq: int, timeout_s: float) -> bool:
        """Whether everything up to a place in the outbox is searchable within the time; waits until it is."""
        return self._projector.wait(seq, timeout_s)

    @property
    def searchable(self) -> int:
        """The place in the outbox up to which everything is."""
        return self._projector.searchable

    def asked(self, ask: Callable[[Collection], Hits]) -> Hits:
        """An answer of the live collection. Raises EngineError."""
        while True:
            live = self._current
            try:
                return ask(live.collection)
            except RetiredError:
                if self._live is live:
                    raise
                # Another one took its place between the two lines above.

    @property
    def capabilities(self) -> Capabilities:
        """What the engine can do."""
        return self._current.collection.engine.capabilities

    @property
    def _current(self) -> Built:
        if self._live is None:
            raise RetiredError("the index has not been started, or is closed")
        return self._live

    def rebuild(self) -> None:
        """Builds a new collection beside the live one, which answers meanwhile, and puts it in its place.

        What is written meanwhile is in both. Where it fails the live one stays, and this raises what the engine or the
        store raised; EngineError where a rebuild is under way already.
        """
        if not self._building.acquire(blocking=False):
            raise EngineError("a rebuild is under way; wait for it to end")
        try:
            with self._passes:
                begun = self._generations.begin(self._choice, self._store.schema.engine)
            try:
                built = self._builder.filled_beside(begun)
                with self._passes:
                    former = self._swap(built)
                self._retire(former)
            finally:
                self._remove_others()
        finally:
            self._building.release()

    def _swap(self, built: Built) -> Built:
        """Puts a collection in the place of the live one, which is returned."""
        former = self._current
        try:
            built.follower.catch_up(self._store.last_seq())
            if built.collection.written and not built.collection.immediate:
                built.collection.refresh()
            self._generations.go_live(built.generation, built.follower.applied)
        except BaseException:
            built.collection.close()
            raise
        self._live = built
        self._former.replaced(former)
        return former

    def _retire(self, former: Built) -> None:
        """Removes a collection once it has answered what it was asked."""
        if self._former.outlasted():
            with self._passes:
                self._former.asked = None
            with suppress(Exception):  # it is not live any more: `_remove_others` tries again
                former.collection.drop()

    def _clear(self) -> None:
        if self._former.outlasted():
            with self._building:  # else it might remove one that is being built
                self._remove_others()

    def _remove_others(self) -> None:
        self._former.remove(self._generations, self._passes)

    def check(self) -> Differences:
        """Compares the live collection with the catalogue. Meanwhile it answers, and what is written waits."""
        with self._passes:
            live = self._current
            return compare(self._store, live.collection, live.follower.applied)

    def status(self) -> IndexStatus:
        """How it is now. Raises StoreError."""
        live, last_seq = self._current, self._store.last_seq()
        behind_s = 0.0
        if live.follower.applied < last_seq:
            behind_s = time.monotonic() - self._projector.current_at
        return IndexStatus(
            live.generation.name,
            self._choice.name,
            last_seq,
            live.follower.applied,
            behind_s,
            self._projector.failures,
            self._projector.error,
            self._building.locked(),
            self._renewal_error,
            len(self._generations.others),
        )

    def close(self) -> None:
        """Ends a rebuild and the projector, and closes the collection; a second call does nothing. The store stays."""
        self._stopping.set()
        self._projector.stop()
        for thread in (self._renewal, self._clearing):
            if thread is not None and thread.ident is not None:
                thread.join()
        with self._building, self._passes:
            live, self._live = self._live, None
            former, self._former.asked = self._former.asked, None
            try:
                if former is not None:
                    former.collection.close()
                if live is not None:
                    live.collection.close()
                    with suppress(OvertakenError):  # another process has it now
                        self._generations.note(live.follower.applied, closed=True)
            finally:
                if self._lock is not None:
                    self._lock.release()
