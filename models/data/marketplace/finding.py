"""What a visitor of the simulated marketplace finds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.data.marketplace.sizes import NEVER
from models.data.marketplace.utility import Utility

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Finder:
    """What a visit finds: listings drawn evenly from those that fit its user."""

    def __init__(self, utility: Utility) -> None:
        self._builds = utility.shoppers.build
        self._by_size = np.argsort(utility.stock.size, kind="stable")
        self._sizes = utility.stock.size[self._by_size]
        self._fits = utility.sizes.steps < NEVER  # [builds, sizes]
        self.refresh(np.zeros(len(self._sizes), np.bool_))

    def refresh(self, alive: npt.NDArray[np.bool_]) -> None:
        """From now on, these are found. alive: bool[n]."""
        here = alive[self._by_size]
        self._alive = self._by_size[here]
        counts = np.bincount(self._sizes[here], minlength=self._fits.shape[1])
        firsts = np.cumsum(counts) - counts
        there = self._fits * counts
        ends = np.cumsum(there, axis=1)
        self._totals = ends[:, -1]
        self._bases = np.cumsum(self._totals) - self._totals
        # The ends of the sizes of all builds, laid end to end, and what leads from there to places in `alive`.
        self._ends = (ends + self._bases[:, None]).ravel()
        self._shifts = (firsts - (ends - there)).ravel()

    def find(self, users: Ints, keys: Floats) -> Ints:
        """int64[v, c], ascending in each row, a listing possibly more than once; -1 throughout where nothing fits.

        keys: float64[v, c] in [0, 1), one a candidate.
        """
        build = self._builds[users].astype(np.int64)[:, None]
        if not len(self._alive):
            return np.full(keys.shape, -1)
        total = self._totals[build]
        place = (keys * total).astype(np.int64)  # among those that fit, in the order of sizes
        size = np.searchsorted(self._ends, place + self._bases[build], side="right")
        row = place + self._shifts.take(size, mode="clip")
        found = np.where(total > 0, self._alive.take(row, mode="clip"), -1)  # clipped where nothing fits
        found.sort(axis=1)
        return np.asarray(found)
