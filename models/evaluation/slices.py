"""Cases apart: cold listings, cold users, short and long histories, popular and rare targets.

A mean over all cases hides what a model does where there is little to go by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.interactions import ItemLists
from models.data.split import Cases
from models.evaluation.popularity import Popularity

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FEW = 100  # cases: the interval of a share of 10 % is then 6 points to either side
_LONG = 10  # items of a history from which on it is long
_SHORT = 2  # items up to which it is short


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the cases, and of their targets those that the slice is about.

    name: for files; label: for readers. rows: int64[s], which cases, ascending. cases: the same with these targets
    alone; their histories, candidates and times are unchanged.
    """

    name: str
    label: str
    rows: Int64
    cases: Cases

    @property
    def few(self) -> bool:
        """Whether there are too few cases to say much."""
        return len(self.rows) < FEW


def all_of(cases: Cases) -> Slice:
    """Every case, with every target."""
    return Slice("all", "all cases", np.arange(len(cases)), cases)


def slices(cases: Cases, popularity: Popularity, preferences: Bools | None = None) -> tuple[Slice, ...]:
    """The slices of these cases; those without a case are among them, for that is a finding too.

    preferences: bool[c], who has declared any; None: nobody is known to. A case with several targets may be in
    several slices of targets, in each with its own: each target is popular (of the short head that makes up half of
    what was taken), rare or cold (never taken in training). Each history is empty, short, middling or long.
    """
    lengths = cases.histories.lengths
    targets = cases.targets.items
    cold, head = popularity.taken[targets] == 0, popularity.heads()[targets]
    empty = lengths == 0
    found = [
        _of_targets("cold_listings", "targets that nobody took in training", cases, cold),
        _of_targets("popular_targets", "targets of the short head, half of what was taken", cases, head),
        _of_targets("rare_targets", "targets beyond the short head", cases, ~head & ~cold),
        _of_users("cold_users", "users without a history", cases, empty),
    ]
    if preferences is not None:
        label = "users with preferences and no history"
        found.append(_of_users("preferences_only", label, cases, empty & preferences))
    middling = (lengths > _SHORT) & (lengths < _LONG)
    return (
        *found,
        _of_users(
            "short_histories", f"histories of 1 to {_SHORT} items", cases, ~empty & (lengths <= _SHORT)
        ),
        _of_users("middling_histories", f"histories of {_SHORT + 1} to {_LONG - 1} items", cases, middling),
        _of_users("long_histories", f"histories of {_LONG} items or more", cases, lengths >= _LONG),
    )


def _of_users(name: str, label: str, cases: Cases, users: Bools) -> Slice:
    rows = np.flatnonzero(users)
    return Slice(name, label, rows, _restricted(cases, rows, cases.targets.take(rows)))


def _of_targets(name: str, label: str, cases: Cases, kept: Bools) -> Slice:
    """The cases that have such a target, with those targets alone."""
    owners = np.repeat(np.arange(len(cases)), cases.targets.lengths)[kept]
    rows, counts = np.unique(owners, return_counts=True)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Slice(name, label, rows, _restricted(cases, rows, ItemLists(starts, cases.targets.items[kept])))


def _restricted(cases: Cases, rows: Int64, targets: ItemLists) -> Cases:
    asked = None if cases.asked_ms is None else cases.asked_ms[rows]
    return Cases(cases.users[rows], cases.histories.take(rows), targets, cases.candidates, asked)
