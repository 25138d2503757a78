"""Who took which listing, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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

    @classmethod
    def of(cls, rows: Sequence[Sequence[int] | npt.NDArray[np.int32]]) -> ItemLists:
        """From one sequence of items a row, without times."""
        starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        items = np.concatenate([np.asarray(row, np.int32) for row in rows]) if rows else np.empty(0, np.int32)
        return cls(starts, items)


@dataclass(frozen=True, slots=True)
class Interactions:
    """m interactions of users with items of one catalogue, in the order of the file.

    users: int32[m], rows of `user_ids`. items: int32[m], rows of the catalogue. times_ms: int64[m], milliseconds since
    1970, or None. weights: float32[m] > 0. user_ids: object[u] of distinct str, or of distinct int. left_out: how many
    rows of the file are not here, by reason.
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    user_ids: npt.NDArray[np.object_]
    times_ms: npt.NDArray[np.int64] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.users)
