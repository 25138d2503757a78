"""A filter that matches too few, widened step by step in a documented order."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engines.filters import And, Filter, Range, leaves
from service.retrieval.values import Relaxation


def conditions(where: Filter | None) -> tuple[Filter, ...]:
    """The parts of a filter that all have to match."""
    if where is None:
        return ()
    if isinstance(where, And):
        return tuple(part for inner in where.filters for part in conditions(inner))
    return (where,)


def fields(condition: Filter) -> tuple[str, ...]:
    """The fields that a condition is on, each once, in order."""
    return tuple(dict.fromkeys(leaf.field for leaf in leaves(condition)))


def relaxations(where: Filter | None, order: Sequence[str], widen: float) -> list[Relaxation]:
    """The steps by which a filter is widened, each keeping those before it.

    Field by field in this order: first its ranges are widened by a share of their width (of the bound, where there is
    one only), then every condition on it alone is dropped, and every one on it and fields before it. Each step matches
    whatever the one before matches.
    """
    steps: list[Relaxation] = []
    parts = conditions(where)
    reached: set[str] = set()
    for name in order:
        widened = tuple(
            _widened(part, widen) if isinstance(part, Range) and part.field == name else part
            for part in parts
        )
        if widened != parts:
            parts = widened
            steps.append(Relaxation(name, "widened", _joined(parts)))
        reached.add(name)
        # A condition on no field at all, such as an empty Or, is nobody's to drop.
        kept = tuple(part for part in parts if not (found := set(fields(part))) or not found <= reached)
        if kept != parts:
            parts = kept
            steps.append(Relaxation(name, "dropped", _joined(parts)))
    return steps


def _joined(parts: tuple[Filter, ...]) -> Filter | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else And(parts)


def _widened(where: Range, share: float) -> Range:
    low, high = max(_given(where.gt, where.gte), default=None), min(_given(where.lt, where.lte), default=None)
    try:
        width = abs(high - low) if low is not None and high is not None else abs(low or high or 0)
        step = share * width
        moved = Range(
            where.field,
            _moved(where.gt, -step),
            _moved(where.gte, -step),
            _moved(where.lt, step),
            _moved(where.lte, step),
        )
        return moved if all(map(math.isfinite, moved.bounds.values())) else where
    except OverflowError:  # of a whole number beyond float64
        return where


def _given(*bounds: float | None) -> list[float]:
    return [bound for bound in bounds if bound is not None]


def _moved(bound: float | None, step: float) -> float | None:
    """Away from the range; a whole number stays one, for beyond 2**53 the nearest float could lie within."""
    if bound is None:
        return None
    if isinstance(bound, int):
        return bound + (math.ceil(step) if step > 0 else math.floor(step))
    return bound + step
