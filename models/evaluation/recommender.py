"""What is judged: anything that answers users with items, and whether its answers keep the rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from harness.errors import MeasurementError
from models.data.interactions import ItemLists
from models.data.split import Cases

Int32 = npt.NDArray[np.int32]

_CELLS = 8 << 20  # comparisons of an item with an answer that are held at a time


class Recommender(Protocol):
    """Answers users with the items that they will want."""

    def recommend(self, cases: Cases, k: int) -> Int32:
        """The k best items of each of c cases: int32[c, k] rows of the catalogue, best first, -1 where there are fewer.

        Every item is a candidate of the cases, none is in the user's own history, and none comes twice.
        """
        ...


def places(answers: Int32, lists: ItemLists) -> Int32:
    """Where each item of the lists stands in the answers to its row: int32[items], counted from 0; -1 if nowhere.

    answers: int32[c, k]; lists: c of them. An item that is answered twice stands where it comes first. Memory stays
    within a few megabytes beside the result.
    """
    cases = np.repeat(np.arange(len(lists)), lists.lengths)
    found = np.full(len(lists.items), -1, np.int32)
    step = max(1, _CELLS // max(1, answers.shape[1]))
    for first in range(0, len(cases) if answers.shape[1] else 0, step):
        part = slice(first, first + step)
        same = answers[cases[part]] == lists.items[part, None]
        found[part] = np.where(same.any(axis=1), same.argmax(axis=1), -1)
    return found


def without_repeats(answers: Int32) -> Int32:
    """The answers (int32[c, k]) with -1 for every item that has come before in its row."""
    ranked = np.sort(answers, axis=1)
    rows = np.flatnonzero(((ranked[:, 1:] == ranked[:, :-1]) & (ranked[:, 1:] >= 0)).any(axis=1))
    if not len(rows):
        return answers
    once = answers.copy()
    order = np.argsort(answers[rows], axis=1, kind="stable")
    ranked = ranked[rows]
    ranked[:, 1:][ranked[:, 1:] == ranked[:, :-1]] = -1
    part = np.empty_like(ranked)
    np.put_along_axis(part, order, ranked, axis=1)
    once[rows] = part
    return once


def require_sound(name: str, answers: Int32, cases: Cases, items: int, least: int = 0) -> None:
    """Raises MeasurementError if answers (int32[c, k]) break a rule of `Recommender`; it names every rule broken.

    name: of the recommender, for the message. items: how many the catalogue has. least: the k that is needed. A figure
    of such answers would be wrong, mostly too good: a history is easily answered back.
    """
    shape = answers.shape
    if len(shape) != 2 or shape[0] != len(cases) or shape[1] < least or answers.dtype != np.int32:
        wanted = f"int32[{len(cases)}, k]" + (f" with k of {least} or more" if least else "")
        raise MeasurementError(f"{name}: answers are {answers.dtype}{list(shape)}; return {wanted}")
    lines = [
        f"{name}: {fault} in {len(rows):,} of {len(cases):,} cases, first in case {rows[0]}; {remedy}"
        for fault, rows, remedy in _faults(answers, cases, items)
        if len(rows)
    ]
    if lines:
        raise MeasurementError("\n".join(lines))


def _faults(answers: Int32, cases: Cases, items: int) -> Iterator[tuple[str, npt.NDArray[np.int64], str]]:
    """Each rule as the fault, the cases that have it, and the remedy."""
    strange = (answers < -1) | (answers >= items)
    yield (
        f"no row of the catalogue's {items:,}",
        np.flatnonzero(strange.any(axis=1)),
        "answer rows, or -1 for none",
    )
    gap = (answers[:, :-1] < 0) & (answers[:, 1:] >= 0)
    yield "an item after -1", np.flatnonzero(gap.any(axis=1)), "put every -1 last"
    twice = (without_repeats(answers) != answers).any(axis=1)
    yield "an item twice", np.flatnonzero(twice), "answer each item once"
    owners = np.repeat(np.arange(len(cases)), cases.histories.lengths)
    own = np.unique(owners[places(answers, cases.histories) >= 0])
    yield "an item of the user's history", own, "leave the history out"
    if cases.candidates is not None:
        barred = (answers >= 0) & ~strange & ~cases.candidates[np.where(strange, 0, answers)]
        yield "an item that is no candidate", np.flatnonzero(barred.any(axis=1)), "answer candidates only"
