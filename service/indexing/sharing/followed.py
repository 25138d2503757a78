"""The index of a process that asks the live collection and leaves keeping it up to another one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Lock
from typing import Any

from engines.base import Capabilities, EngineError, Hits
from service.catalogue.store import Store
from service.indexing.checking import Differences
from service.indexing.collection import Asking, Collection, EngineChoice, RetiredError
from service.indexing.generations import Generation
from service.indexing.projector import Projector
from service.indexing.sharing.board import Board, Notes, State
from service.indexing.sharing.leading import CHECK, GONE, REBUILD
from service.indexing.status import IndexStatus

# For which an answer of the collection that was live counts: it stays whole for longer than that.
LEASE_S = 2.0
_LOOK_S = 0.5  # so often it is looked which one is live
_WAITING_LOOK_S = 0.005  # the same while somebody waits
_WAIT_S = 1.0  # so often who leads is told that somebody waits
_ASK_S = 0.05  # so often it is looked for an answer of who leads


class OtherIndexError(EngineError):
    """There is no live index, or one that this process cannot ask as its own."""


@dataclass(slots=True)
class _Open:
    """confirmed_at: when it was last seen to be the live one, by `time.monotonic`."""

    generation: Generation
    collection: Collection
    confirmed_at: float


class FollowedIndex(Asking):
    """See `LiveIndex`, whose methods these are. Queries may come from any thread."""

    def __init__(self, store: Store, choice: EngineChoice, folder: Path) -> None:
        self._store, self._choice, self._folder = store, choice, folder
        self._board, self._projector = Board(store), Projector(self._look, _LOOK_S)
        self._looking, self._stopping = Lock(), Event()
        self._open: _Open | None = None
        self._state: State | None = None
        self._waited_at = 0.0
        self._behind: State | None = None  # what was last told, if there is more in the catalogue
        self._behind_since = 0.0  # when that was first seen

    def start(self) -> None:
        """Opens the live collection.

        Raises OtherIndexError where there is none yet of this engine with these parameters, and what the engine and the
        store raise.
        """
        while True:
            began, notes = time.monotonic(), self._board.read()
            live = self._live_in(notes)
            try:
                self._open = self._opened(live, began)
                break
            except Exception:
                now = self._board.read().live
                if now is not None and now.name == live.name:
                    raise
        self._projector.start(self._taken(notes))

    def _live_in(self, notes: Notes) -> Generation:
        if notes.live is None or not notes.live.is_of(self._choice, self._store.schema.engine):
            raise OtherIndexError(
                "the live index is of another engine or other parameters than this process has"
            )
        return notes.live

    def _opened(self, generation: Generation, confirmed_at: float) -> _Open:
        collection = Collection(self._choice, self._store.schema, self._folder / generation.name)
        try:
            collection.open()
        except BaseException:
            collection.close()
            raise
        return _Open(generation, collection, confirmed_at)

    def _look(self) -> tuple[int, bool]:
        """Sees which collection is live and how far it is; see `Projector`."""
        waiting = bool(self._projector.waiting)
        if waiting:
            if time.monotonic() - self._waited_at >= _WAIT_S:
                self._waited_at = time.monotonic()
                self._board.wait()
            self._stopping.wait(_WAITING_LOOK_S)
        return self._taken(self._confirm()), waiting

    def _confirm(self) -> Notes:
        """Opens the live collection unless it is the one that is asked already."""
        with self._looking:
            began, notes, former = time.monotonic(), self._board.read(), self._current
            live = self._live_in(notes)
            if live.name == former.generation.name:
                former.confirmed_at = began
                return notes
            self._open = self._opened(live, began)
        former.collection.close()
        return notes

    def _taken(self, notes: Notes) -> int:
        """The place up to which everything is searchable here."""
        self._state = notes.state
        return 0 if notes.state is None else notes.state.searchable

    def asked(self, ask: Callable[[Collection], Hits]) -> Hits:
        """An answer of a collection that was live at the time, or not long before and still whole."""
        while True:
            asked = self._current
            try:
                hits = ask(asked.collection)
            except Exception:
                if not self._moved(asked):
                    raise
                continue
            if time.monotonic() < asked.confirmed_at + LEASE_S or not self._moved(asked):
                return hits

    def _moved(self, asked: _Open) -> bool:
        """Whether another collection is live than the one that was asked."""
        if self._open is asked:
            self._confirm()
        return self._current is not asked

    @property
    def _current(self) -> _Open:
        if self._open is None:
            raise RetiredError("the index has not been started, or is closed")
        return self._open

    @property
    def capabilities(self) -> Capabilities:
        """What the engine can do."""
        return self._current.collection.engine.capabilities

    def wait(self, seq: int, timeout_s: float) -> bool:
        """Whether everything up to a place in the outbox is searchable within the time; waits until it is."""
        return self._projector.wait(seq, timeout_s)

    def status(self) -> IndexStatus:
        """How it was when who leads told it last, which it does every second; failures are those to follow.

        For as long as who leads says nothing of what has been written since, the index is behind. Raises StoreError.
        """
        last_seq, state = self._store.last_seq(), self._state
        if state is None:
            name = self._current.generation.name
            return IndexStatus(name, self._choice.name, last_seq, leads=False)
        told, now = state.status, time.monotonic()
        if told.applied >= last_seq:
            self._behind = None
        elif state != self._behind:
            self._behind, self._behind_since = state, now
        unheard_s = 0.0 if self._behind is None else now - self._behind_since
        return replace(
            told,
            behind_s=told.behind_s + unheard_s,
            generation=self._current.generation.name,
            last_seq=last_seq,
            failures=self._projector.failures,
            error=self._projector.error or told.error,
            leads=False,
        )

    def check(self) -> Differences:
        """As `LiveIndex.check`, done by who leads."""
        return Differences(**self._done(CHECK))

    def rebuild(self) -> None:
        """As `LiveIndex.rebuild`, done by who leads."""
        self._done(REBUILD)

    def _done(self, what: str) -> Any:
        """Asks who leads, and who leads next where that one ended. Raises EngineError with what went wrong there."""
        result, problem = None, GONE
        while problem == GONE:
            while (id_ := self._board.ask(what)) is None:
                self._pause()
            while (answer := self._board.read().answers.get(id_)) is None:
                self._pause()
            result, problem = answer
        if problem:
            raise EngineError(problem)
        self._taken(self._confirm())
        return result

    def _pause(self) -> None:
        if self._stopping.wait(_ASK_S):
            raise RetiredError("the index is being closed")

    def close(self) -> None:
        """Stops following, and closes the collection; a second call does nothing. The store stays."""
        self._stopping.set()
        self._projector.stop()
        with self._looking:
            held, self._open = self._open, None
        if held is not None:
            held.collection.close()
