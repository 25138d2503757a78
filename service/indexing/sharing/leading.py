"""What the process that keeps an index up does for those that only ask it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from threading import Event, Lock, Thread
from typing import Any

from service.catalogue.store import Store
from service.indexing.collection import RetiredError
from service.indexing.live import LiveIndex
from service.indexing.sharing.board import Board, State

log = logging.getLogger(__name__)

CHECK, REBUILD = "check", "rebuild"
GONE = "the process that was to do it has ended"  # an answer after which who asked asks again
_TURN_S = 0.02  # so often it is looked for what the others ask for
_WAITED_TURN_S = 0.005  # the same, and for what they have written, while one of them waits
_TELL_S = 1.0  # so often it is told how the index stands, where nobody waits
_WAITING_S = 3.0  # for which somebody is taken to wait; who does says so every second


class Leading:
    """Begins by answering what who led before has not."""

    def __init__(self, store: Store, live: LiveIndex) -> None:
        self._live, self._board = live, Board(store)
        self._told: State | None = None
        self._tell_at = self._waited_until = 0.0
        self._work: Thread | None = None
        self._telling = Lock()
        notes = self._board.read()
        self._waits = notes.waits
        if notes.question is not None:
            self._board.answer(notes.question[0], None, GONE)
        self._tell()

    def turn(self, stopping: Event) -> None:
        """Does what there is to do, and waits for a moment. Raises StoreError."""
        notes, now = self._board.read(), time.monotonic()
        if notes.waits != self._waits:
            self._waits, self._waited_until = notes.waits, now + _WAITING_S
        if notes.question is not None and (self._work is None or not self._work.is_alive()):
            self._work = Thread(target=self._do, args=notes.question, name="catalogue-asked", daemon=True)
            self._work.start()
        told = 0 if self._told is None else self._told.searchable
        if now < self._waited_until and self._live.wait(told + 1, _WAITED_TURN_S):
            self._tell()
            return
        if now >= self._tell_at:
            self._tell()
        if now >= self._waited_until:
            stopping.wait(_TURN_S)

    def _tell(self) -> None:
        with self._telling:
            # Taken before the status, so that its generation is the one that this is true of, or a later one.
            state = State(searchable=self._live.searchable, status=self._live.status())
            if state != self._told:
                self._board.tell(state)
            self._told, self._tell_at = state, time.monotonic() + _TELL_S

    def _do(self, id_: str, what: str) -> None:
        result: Mapping[str, Any] | None = None
        problem = ""
        try:
            if what == CHECK:
                result = asdict(self._live.check())
            else:
                self._live.rebuild()
        except RetiredError:
            return  # this process ends: who leads next finds the question
        except Exception as error:  # noqa: BLE001 - who asked is told, whatever it is
            problem = str(error) or type(error).__name__
        try:
            with suppress(RetiredError):
                self._tell()
            self._board.answer(id_, result, problem)
        except Exception:
            log.exception("what became of the index's %s could not be told", what)
