"""Whether a split keeps what is asked for apart from what is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.errors import BakeoffError
from models.data.interactions import Interactions, ItemLists, among, pair_codes
from models.data.split import Cases, Split

Int64 = npt.NDArray[np.int64]


class LeakError(BakeoffError):
    """A model would be told what it is asked. `leaks` says what leaks, one sentence each."""

    def __init__(self, leaks: list[str]) -> None:
        self.leaks = leaks
        super().__init__("\n".join(leaks))


def check_no_leak(split: Split, interactions: Interactions) -> None:
    """Raises LeakError naming everything that leaks.

    A target must be in no history that it belongs to, not in training, and no target of both validation and test; what
    validates must not show what tests. Whatever is learnt from or known must have happened: before the first question
    of validation where the split is by time, and before the user's target otherwise. Counts must be those of training.
    """
    pairs = _Pairs(interactions)
    sets = {
        "training": pairs.of(split.training, np.arange(len(split.training))),
        "validation's histories": pairs.of(split.validation.histories, split.validation.users),
        "validation's targets": pairs.of(split.validation.targets, split.validation.users),
        "test's histories": pairs.of(split.test.histories, split.test.users),
        "test's targets": pairs.of(split.test.targets, split.test.users),
    }
    leaks = []
    for asked, elsewhere in (
        ("validation's targets", "training"),
        ("validation's targets", "validation's histories"),
        ("test's targets", "training"),
        ("test's targets", "validation's histories"),
        ("test's targets", "validation's targets"),
        ("test's targets", "test's histories"),
    ):
        both = sets[asked][among(sets[asked], sets[elsewhere])]
        leaks += pairs.told(both, f"of {asked} are in {elsewhere}, too")
    for name, codes in sets.items():
        leaks += pairs.told(codes[~pairs.happened(codes)], f"of {name} are no interactions")
    if not leaks:  # the moments of pairs that never happened are unknown
        leaks += _from_the_future(split, pairs)
    if not np.array_equal(split.taken, np.bincount(split.training.items, minlength=len(split.taken))):
        leaks.append("`taken` counts other items than those of training")
    for name, cases in (("validation", split.validation), ("test", split.test)):
        leaks += _no_candidates(name, cases)
    if leaks:
        raise LeakError(leaks)


class _Pairs:
    """The pairs of a user and an item that happened, and when: in time, and in the order of the interactions."""

    def __init__(self, interactions: Interactions) -> None:
        import pandas as pd

        self._users = interactions.user_ids
        codes = pair_codes(interactions.users, interactions.items)
        self._known, first = np.unique(codes, return_index=True)
        self._last = len(codes) - 1 - np.unique(codes[::-1], return_index=True)[1]
        self._earliest: Int64 = first
        if interactions.times_ms is not None:
            self._earliest = pd.Series(interactions.times_ms).groupby(codes).min().to_numpy()

    def of(self, lists: ItemLists, users: npt.NDArray[np.int32] | Int64) -> Int64:
        return pair_codes(users[lists.owners], lists.items)

    def happened(self, codes: Int64) -> npt.NDArray[np.bool_]:
        place = np.minimum(np.searchsorted(self._known, codes), len(self._known) - 1)
        return np.equal(self._known[place], codes)

    def earliest(self, codes: Int64) -> Int64:
        """When each pair, that happened, did first: milliseconds."""
        return self._earliest[np.searchsorted(self._known, codes)]

    def last(self, codes: Int64) -> Int64:
        """The number of the last interaction of each pair that happened."""
        return self._last[np.searchsorted(self._known, codes)]

    def told(self, codes: Int64, fault: str) -> list[str]:
        if not len(codes):
            return []
        user, item = int(codes[0]) >> 32, int(codes[0]) & (2**32 - 1)
        whose = repr(self._users[user]) if user < len(self._users) else f"number {user}"
        return [f"{len(codes):,} items {fault}, such as the item in row {item} of user {whose}"]


def _from_the_future(split: Split, pairs: _Pairs) -> list[str]:
    leaks = []
    cases = {"validation": split.validation, "test": split.test}
    for name, asked in cases.items():
        codes = pairs.of(asked.histories, asked.users)
        if split.kind == "time":
            if asked.asked_ms is None:
                leaks.append(f"{name} does not say when it is asked")
                continue
            late = pairs.earliest(codes) >= asked.asked_ms[asked.histories.owners]
            if asked.histories.times_ms is not None:
                late |= asked.histories.times_ms >= asked.asked_ms[asked.histories.owners]
        else:
            first = np.full(len(asked), np.iinfo(np.int64).max)
            np.minimum.at(first, asked.targets.owners, pairs.last(pairs.of(asked.targets, asked.users)))
            late = pairs.last(codes) > first[asked.histories.owners]
        leaks += pairs.told(codes[late], f"of {name}'s histories were not yet taken when it is asked")
    if split.kind == "time" and split.validation.asked_ms is not None and len(split.validation):
        cut_off = split.validation.asked_ms.min()
        codes = pairs.of(split.training, np.arange(len(split.training)))
        late = pairs.earliest(codes) >= cut_off
        if split.training.times_ms is not None:
            late |= split.training.times_ms >= cut_off
        leaks += pairs.told(codes[late], "of training were taken only after validation is asked")
    return leaks


def _no_candidates(name: str, cases: Cases) -> list[str]:
    if cases.candidates is None:
        return []
    count = int((~cases.candidates[cases.targets.items]).sum())
    return (
        [f"{count:,} items of {name}'s targets are no candidates and can never be answered"] if count else []
    )
