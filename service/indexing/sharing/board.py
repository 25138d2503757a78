"""Notes in the catalogue by which the process that keeps an index up and those that ask it tell each other things."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from service.catalogue.store import Store
from service.indexing.generations import NOTE, Generation, live_in
from service.indexing.status import IndexStatus

_STATE = "index-state"  # by who leads
_ANSWERS = "index-answers"  # by who leads
_WAITS = "index-waits"  # another value at least once a second for as long as somebody waits
_QUESTION = "index-question"  # the last one
_KEPT = 8  # answers: who asked looks for its own several times a second
_ALL = (NOTE, _STATE, _ANSWERS, _WAITS, _QUESTION)


@dataclass(frozen=True, slots=True)
class State:
    """How the index stands, as who leads tells it. searchable: the place in the outbox up to which every process that
    asks the collection of `status`, or the one before it, finds everything.
    """

    status: IndexStatus
    searchable: int


@dataclass(frozen=True, slots=True)
class Notes:
    """All of them as of one moment. waits: another value means that somebody waits. question: its id, and what is asked
    for; None where there is none without an answer. answers: by question, what `Board.answer` was given.
    """

    live: Generation | None
    state: State | None
    waits: str | None
    question: tuple[str, str] | None
    answers: Mapping[str, tuple[Any, str]]


class Board:
    """Every method raises StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self) -> Notes:
        """What it says now."""
        held = self._store.notes(_ALL)
        answers = _answers(held)
        question = _question(held)
        return Notes(
            live_in(held.get(NOTE)),
            _state(held.get(_STATE)),
            held.get(_WAITS),
            question if question is not None and question[0] not in answers else None,
            answers,
        )

    def tell(self, state: State) -> None:
        """How the index stands; for who leads."""
        self._store.set_meta(_STATE, json.dumps([asdict(state.status), state.searchable]))

    def wait(self) -> None:
        """Has who leads tell what is searchable as soon as it is, for some seconds."""
        self._store.set_meta(_WAITS, uuid.uuid4().hex)

    def ask(self, what: str) -> str | None:
        """Asks who leads to do something; the question's id, None where another one has no answer yet."""
        held = self._store.notes([_QUESTION, _ANSWERS])
        former = _question(held)
        if former is not None and former[0] not in _answers(held):
            return None
        id_ = uuid.uuid4().hex
        asked = self._store.replace_meta(_QUESTION, held.get(_QUESTION), json.dumps([id_, what]))
        return id_ if asked else None

    def answer(self, id_: str, result: Any, problem: str) -> None:
        """What became of a question: a result that JSON can hold, or what went wrong; for who leads."""
        answers = dict(_answers(self._store.notes([_ANSWERS])))
        answers[id_] = (result, problem)
        self._store.set_meta(_ANSWERS, json.dumps(dict(list(answers.items())[-_KEPT:])))


def _state(text: str | None) -> State | None:
    if text is None:
        return None
    status, searchable = json.loads(text)
    return State(IndexStatus(**status), searchable)


def _question(held: Mapping[str, str]) -> tuple[str, str] | None:
    text = held.get(_QUESTION)
    return None if text is None else tuple(json.loads(text))


def _answers(held: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    return {id_: tuple(answer) for id_, answer in json.loads(held.get(_ANSWERS, "{}")).items()}
