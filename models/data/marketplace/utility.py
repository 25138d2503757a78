"""How much a user wants a listing at a moment, and what follows of it: the model of choice.

A discrete choice model of random utility: who looks at a set of listings takes them in the order of utility plus
Gumbel noise, so that the first is taken with the softmax of the utilities (McFadden 1974, Conditional logit analysis of
qualitative choice behavior), and the next ones with that of what is left (Plackett and Luce).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.marketplace.options import UtilityWeights
from models.data.marketplace.shoppers import Shoppers
from models.data.marketplace.sizes import NEVER, Sizes
from models.data.marketplace.stock import DAY_MS, Float32, Stock

_AT_ONCE = 1 << 22  # numbers of latents gathered at a time

Rows = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Utility:
    """The utility of listings to users.

    charm: float32[n], what a listing is worth to everybody at any time: its condition and its appeal.
    """

    stock: Stock
    shoppers: Shoppers
    sizes: Sizes
    weights: UtilityWeights
    charm: Float32

    def __call__(self, users: Rows, listings: Rows, at_ms: npt.NDArray[np.int64]) -> Float32:
        """float32[m, c]; -inf where the size does not fit, or what was not listed yet.

        users: integer[m]. listings: integer[m, c], or [1, c] where all users are asked about the same. at_ms: int64[m].
        Whether a listing has been sold is not looked at.
        """
        m, c = len(users), listings.shape[1]
        found = np.empty((m, c), np.float32)
        step = max(1, _AT_ONCE // (c * self.stock.latents.shape[1]))
        for first in range(0, m, step):
            part = slice(first, first + step)
            of = listings if len(listings) == 1 else listings[part]
            found[part] = self._block(users[part], of, at_ms[part])
        return found

    def _block(self, users: Rows, listings: Rows, at_ms: npt.NDArray[np.int64]) -> Float32:
        stock, weights = self.stock, self.weights
        # A product a user, of one shape wherever a block of users ends, so that its last bits do not hang on the block.
        taste = np.matmul(stock.latents.take(listings, axis=0), self.shoppers.tastes[users][:, :, None])[
            :, :, 0
        ]
        found = np.float32(weights.taste) * taste
        found += self.charm[listings]
        beyond = stock.level[listings] - self.shoppers.budget[users][:, None]
        found -= (
            np.where(beyond > 0, np.float32(weights.over_budget), np.float32(-weights.under_budget)) * beyond
        )
        age = ((at_ms[:, None] - stock.listed_ms[listings]) / DAY_MS).astype(np.float32)
        found += np.float32(weights.freshness) * np.exp(
            np.maximum(age, 0) / np.float32(-weights.freshness_days)
        )
        steps = self.sizes.steps[self.shoppers.build[users][:, None], stock.size[listings]]
        lost = np.array([0, weights.loose_size, np.inf], np.float32)[np.minimum(steps, NEVER)]
        return np.asarray(np.where(age < 0, np.float32(-np.inf), found - lost), np.float32)


def softmax(utilities: npt.NDArray[np.floating], nothing: float = -np.inf) -> Floats:
    """The probability of each choice of a row, float64 of the shape of `utilities`, [m, c].

    nothing: the utility of choosing none of them. A row of which nothing can be chosen has zeros.
    """
    wide = utilities.astype(np.float64)
    top = np.maximum(wide.max(axis=1, keepdims=True, initial=-np.inf), nothing)
    shifted = np.where(np.isfinite(top), top, 0.0)
    odds = np.exp(wide - shifted)
    total = odds.sum(axis=1, keepdims=True) + np.exp(nothing - shifted)
    return np.asarray(np.divide(odds, total, out=np.zeros_like(odds), where=total > 0))
