"""Who took which listing, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class ItemLists:
    """One list of items a row: row i holds `items[starts[i]:starts[i + 1]]`.

    starts: int64[rows + 1]. items: int32, rows of a catalogue. times_ms: int64 beside `items`, milliseconds since
    1970; None where times are unknown or carry no order.
    """

    starts: npt.NDArray[np.int64]
    items: npt.NDArray[np.int32]
    times_ms: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        return self.items[self.starts[row] : self.starts[row + 1]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """How many items each row holds: int64[rows]."""
        return np.diff(self.starts)

    def take(self, rows: npt.NDArray[np.int64]) -> ItemLists:
        """The lists of these rows, in this order."""
        lengths = self.lengths[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return ItemLists(starts, self.items[places], None if self.times_ms is None else self.times_ms[places])

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """The row that each item belongs to, beside `items`."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def keep(self, wanted: npt.NDArray[np.bool_]) -> ItemLists:
        """Every row with its wanted items only (bool beside `items`)."""
        before = np.concatenate([[0], np.cumsum(wanted)])
        times = None if self.times_ms is None else self.times_ms[wanted]
        return ItemLists(before[self.starts], self.items[wanted], times)

    @classmethod
    def of(cls, rows: Sequence[Sequence[int] | npt.NDArray[np.int32]]) -> ItemLists:
        """From one sequence of items a row, without times."""
        starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        items = np.concatenate([np.asarray(row, np.int32) for row in rows]) if rows else np.empty(0, np.int32)
        return cls(starts, items)


@dataclass(frozen=True, slots=True)
class Interactions:
    """m interactions of users with items of one catalogue, in order of time, else in the order of the file.

    users: int32[m], rows of `user_ids`. items: int32[m], rows of the catalogue. times_ms: int64[m], milliseconds since
    1970, or None. weights: float32[m] > 0. user_ids: object[u] of distinct str, or of distinct int. left_out: how many
    rows of the file are not here, by reason. notes: what was done to read the others.
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    user_ids: npt.NDArray[np.object_]
    times_ms: npt.NDArray[np.int64] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Interactions:
        """The interactions in `rows` (a mask or an index array); the users stay the same."""
        return replace(
            self,
            users=self.users[rows],
            items=self.items[rows],
            weights=self.weights[rows],
            times_ms=None if self.times_ms is None else self.times_ms[rows],
        )

    def distinct(self, where: npt.NDArray[np.bool_] | None = None) -> ItemLists:
        """The distinct items of each user, one list a user, in the order in which they were last taken.

        where: bool[m], the interactions that count; None for all.
        """
        import pandas as pd

        rows = np.arange(len(self)) if where is None else np.flatnonzero(where)
        pairs = pd.Series(pair_codes(self.users[rows], self.items[rows]))
        rows = rows[~pairs.duplicated(keep="last").to_numpy()]
        rows = rows[np.argsort(self.users[rows], kind="stable")]
        counts = np.bincount(self.users[rows], minlength=len(self.user_ids))
        starts = np.concatenate([[0], np.cumsum(counts)])
        times = None if self.times_ms is None else self.times_ms[rows]
        return ItemLists(starts, self.items[rows], times)


def pair_codes(
    users: npt.NDArray[np.int32] | npt.NDArray[np.int64], items: npt.NDArray[np.int32]
) -> npt.NDArray[np.int64]:
    """One number for each pair of a user and an item."""
    return (users.astype(np.int64) << 32) | items.astype(np.int64)


def among(codes: npt.NDArray[np.int64], others: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which of some codes are among others: bool beside `codes`. Several times as fast as np.isin on millions."""
    if not len(others):
        return np.zeros(len(codes), np.bool_)
    ordered = np.sort(others)
    places = np.minimum(np.searchsorted(ordered, codes), len(ordered) - 1)
    return np.equal(ordered[places], codes)
