"""Sizes: which listings a user fits into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.marketplace.figures import LETTERS

NEVER = 2  # steps from which nobody fits
_STEP = {"clothes": 2, "shoes": 1}


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of listings and the builds of users.

    A size is a kind of garment and a word; a user's build is one number of clothes and one of shoes. words, kinds: by
    code of the size. builds: (number of clothes, number of shoes). supply: float64[sizes], the share of each size in
    its kind. demand: float64[builds], shares. steps: int8[builds, sizes], how far a size is off for a build (0: it
    fits, 1: with some slack, NEVER or more: it does not).
    """

    words: tuple[str, ...]
    kinds: tuple[str, ...]
    builds: tuple[tuple[int, int], ...]
    supply: npt.NDArray[np.float64]
    demand: npt.NDArray[np.float64]
    steps: npt.NDArray[np.int8]

    def codes(self, kind: str) -> npt.NDArray[np.int64]:
        """The sizes that garments of a kind come in."""
        return np.flatnonzero(np.array(self.kinds) == kind)

    def fitting(self, build: int) -> dict[str, tuple[str, ...]]:
        """The words of the sizes that fit a build without slack, by kind of garment: what its owner would declare."""
        fits = self.steps[build] == 0
        told = list(zip(self.kinds, self.words, fits, strict=True))
        return {
            kind: tuple(word for one, word, fit in told if fit and one == kind)
            for kind in dict.fromkeys(self.kinds)
        }


def sizes_of(shares: Mapping[str, Mapping[str, float]]) -> Sizes:
    """From the shares of the sizes by kind of garment. Users are built as the listings are sized, so that every size
    finds its buyers; who fits a letter has each of the numbers it spans equally often.
    """
    known = [(kind, word, share) for kind, own in shares.items() for word, share in own.items()]
    demand = {kind: _demand(shares[kind]) for kind in _STEP}
    builds = [(clothes, shoes) for clothes in demand["clothes"] for shoes in demand["shoes"]]
    steps = np.empty((len(builds), len(known)), np.int8)
    for row, build in enumerate(builds):
        number = dict(zip(_STEP, build, strict=True))
        steps[row] = [_off(kind, word, number.get(kind, 0)) for kind, word, _ in known]
    weights = np.array([demand["clothes"][clothes] * demand["shoes"][shoes] for clothes, shoes in builds])
    return Sizes(
        tuple(word for _, word, _ in known),
        tuple(kind for kind, _, _ in known),
        tuple(builds),
        np.array([share / sum(shares[kind].values()) for kind, _, share in known]),
        weights / weights.sum(),
        steps,
    )


def _span(word: str) -> tuple[int, int] | None:
    """The first and last number of a size; None where it fits everybody."""
    return (int(word), int(word)) if word.isdecimal() else LETTERS.get(word)


def _demand(shares: Mapping[str, float]) -> dict[int, float]:
    demand: dict[int, float] = {}
    for word, share in shares.items():
        span = _span(word)
        numbers = range(span[0], span[1] + 1, _STEP["clothes"]) if span else ()
        for number in numbers:
            demand[number] = demand.get(number, 0.0) + share / len(numbers)
    return dict(sorted(demand.items()))


def _off(kind: str, word: str, number: int) -> int:
    span = _span(word)
    if span is None or kind not in _STEP:
        return 0
    low, high = span
    distance = max(low - number, number - high, 0)
    return min(-(-distance // _STEP[kind]), NEVER)
