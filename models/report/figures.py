"""Figures as a reader sees them: how they are called, rounded and bounded."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.results.stats import Comparison, Interval
from models.evaluation.figures import BIAS, NOVELTY

NONE, MINUS = "-", "\u2212"
_NAMES = {"blend": "tuned blend"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as text, and from where to where it may lie: `0.389`, `0.385 to 0.393`; `-` and nothing without one."""

    value: str
    interval: str


def called(recommender: str) -> str:
    """A recommender's name on the page."""
    return _NAMES.get(recommender, recommender)


def shown(figure: str, value: Interval) -> Shown:
    """A value of a figure."""
    return _shown(figure, value.estimate, value.low, value.high)


def advantage(figure: str, difference: Comparison) -> Shown:
    """How far the reference is above a recommender, of which the difference from the reference is given."""
    low, high = _turned(difference.high), _turned(difference.low)
    return _shown(figure, -difference.change, low, high, signed=True)


def standing(difference: Comparison | None) -> int:
    """1 where a recommender is surely above the reference, -1 where surely below, 0 where nobody can say."""
    if difference is None or not _known(difference.low) or not _known(difference.high):
        return 0
    assert difference.low is not None and difference.high is not None
    return int(difference.low > 0) - int(difference.high < 0)


def _turned(bound: float | None) -> float | None:
    return None if bound is None else -bound


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _shown(
    figure: str, value: float, low: float | None, high: float | None, *, signed: bool = False
) -> Shown:
    """All three with as many digits: two of bits, three of shares, and four of small ones."""
    if not _known(value):
        return Shown(NONE, "")
    digits = 2 if figure == NOVELTY.name else 4 if abs(value) < 0.1 and figure != BIAS.name else 3
    sign = "+" if signed or figure == BIAS.name else ""

    def text(number: float | None) -> str:
        return f"{number:{sign}.{digits}f}".replace("-", MINUS)

    interval = f"{text(low)} to {text(high)}" if _known(low) and _known(high) else ""
    return Shown(text(value), interval)
