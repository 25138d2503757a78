"""How often each item was taken in training, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.split import Split

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Popularity:
    """How popular each of n items is, by training alone.

    taken: int64[n], by how many users. users: how many took anything. order: int32[n], rows from the most taken to the
    least, the lower row first among equals; places: int32[n], where each row stands in it.
    """

    taken: Int64
    users: int
    order: Int32
    places: Int32

    def __len__(self) -> int:
        return len(self.taken)

    @classmethod
    def of(cls, taken: Int64, users: int) -> Popularity:
        """From int64[n], how many of the users took each item."""
        order = np.argsort(-taken, kind="stable").astype(np.int32)
        places = np.empty_like(order)
        places[order] = np.arange(len(order), dtype=np.int32)
        return cls(taken, users, order, places)

    @classmethod
    def in_training(cls, split: Split) -> Popularity:
        """What a split's training lists say."""
        return cls.of(split.taken, int(np.count_nonzero(split.training.lengths)))

    @property
    def percentiles(self) -> Floats:
        """float64[n] in 0 to 1: the share of items that were taken less often, and half of those taken as often.

        Their mean is 1/2 by construction, so a recommender that draws items blindly has 1/2.
        """
        values, codes, counts = np.unique(self.taken, return_inverse=True, return_counts=True)
        below = np.cumsum(counts) - counts
        shares: Floats = (below + counts / 2) / max(1, len(self))
        return shares[codes] if len(values) else np.empty(0)

    @property
    def information(self) -> Floats:
        """float64[n] in bits: -log2 of the probability that a user took the item.

        The self-information of an item (Zhou et al. 2010, "Solving the apparent diversity-accuracy dilemma of
        recommender systems"). One imaginary user took everything, so that what nobody took is finite:
        p = (taken + 1) / (users + 1).
        """
        information: Floats = -np.log2((self.taken + 1) / (self.users + 1))
        return information

    def heads(self, share: float = 0.5) -> npt.NDArray[np.bool_]:
        """bool[n]: the most taken items that together make up this share of all that was taken (the short head)."""
        head = np.zeros(len(self), np.bool_)
        running = np.cumsum(self.taken[self.order])
        if len(running) and running[-1]:
            head[self.order[: int(np.searchsorted(running, share * running[-1])) + 1]] = True
        return head & (self.taken > 0)
