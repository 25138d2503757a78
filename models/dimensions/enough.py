"""Which dimension is enough. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from harness.results.stats import Comparison


def enough(lost: Mapping[int, Comparison | None], tolerance: float) -> int | None:
    """The smallest dimension that loses less than the tolerance, as every larger one does; None where none does.

    lost: by dimension, the share of the full vectors' hits that is lost, None of these vectors themselves. A dimension
    passes where the upper end of its interval is below the tolerance; one without an interval does not. They are asked
    from the largest down and the first that fails ends it, so that with many of them the chance of a wrong answer stays
    that of one interval (a fixed sequence of tests: Maurer, Hothorn and Lehmacher 1995).
    """
    found = None
    for dim in sorted(lost, reverse=True):
        if not within(lost[dim], tolerance):
            break
        found = dim
    return found


def within(lost: Comparison | None, tolerance: float) -> bool:
    """Whether a loss is surely below the tolerance; the full vectors lose nothing."""
    return lost is None or (lost.high is not None and lost.high < tolerance)
