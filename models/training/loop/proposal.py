"""Which items stand for all others in a sampled softmax."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mixture: items drawn as often as they are taken, and uniformly (mixed negatives, Yang et al. 2020).

    probability: float64[n], > 0, of each item in one draw.
    """

    probability: npt.NDArray[np.float64]
    _cumulative: npt.NDArray[np.float64]

    @classmethod
    def of(cls, taken: npt.NDArray[np.int64], uniform: float, power: float = 1.0) -> Proposal:
        """taken: int64[n]. uniform: share (0 to 1] of the draws that are uniform. power: of the counts."""
        weights = taken.astype(np.float64) ** power * (taken > 0)
        popular = weights / weights.sum() if weights.any() else np.full(len(taken), 1 / len(taken))
        probability = (1 - uniform) * popular + uniform / len(taken)
        return cls(probability, np.cumsum(probability))

    def draw(
        self, count: int, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """`count` items with replacement, and the logarithm of how often each is expected among them."""
        at = np.searchsorted(self._cumulative, rng.random(count) * self._cumulative[-1], side="right")
        items = np.minimum(at, len(self.probability) - 1).astype(np.int32)
        return items, np.log(count * self.probability[items]).astype(np.float32)
