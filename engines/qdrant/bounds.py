"""Qdrant takes the bounds of every range as float64."""

from __future__ import annotations

from engines.base import UnsupportedError


def exact_bounds(first: int | None, last: int | None) -> dict[str, float]:
    """The bounds of an integer range (both included), each as one that float64 holds exactly.

    Raises UnsupportedError where there is none: rounded, it would let the wrong items through.
    """
    bounds: dict[str, float] = {}
    if first is not None:
        bounds |= _exact({"gte": first, "gt": first - 1})
    if last is not None:
        bounds |= _exact({"lte": last, "lt": last + 1})
    return bounds


def _exact(either: dict[str, int]) -> dict[str, float]:
    """The first of two bounds of the same meaning that float64 holds."""
    for name, bound in either.items():
        if int(float(bound)) == bound:
            return {name: float(bound)}
    raise UnsupportedError(f"qdrant takes the bounds of a range as float64, which cannot hold {either}")
