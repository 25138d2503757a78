"""Small sets of cases and answers for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from models.data.interactions import ItemLists
from models.data.split import Cases
from models.evaluation.neighbours import Neighbours

ITEMS = 12


def cases(
    targets: list[list[int]], histories: list[list[int]] | None = None, candidates: Any = None
) -> Cases:
    """Cases with these targets; without histories unless given."""
    count = len(targets)
    return Cases(
        np.arange(count, dtype=np.int32),
        ItemLists.of(histories if histories is not None else [[]] * count),
        ItemLists.of(targets),
        None if candidates is None else np.asarray(candidates, np.bool_),
    )


def answers(rows: list[list[int]]) -> np.ndarray[Any, np.dtype[np.int32]]:
    """int32[c, k]; shorter rows are padded with -1."""
    k = max(map(len, rows), default=0)
    return np.array([row + [-1] * (k - len(row)) for row in rows], np.int32).reshape(len(rows), k)


POINTS = np.array([0.1, 0.2, 0.3, 0.4, 0.4, 0.5, 0.8, 1.6])


def neighbours(rows: list[list[int]]) -> Neighbours:
    """Answers with the distances of items 0 to 7, which are the same from everyone."""
    items = answers(rows)
    return Neighbours.of(items, np.where(items >= 0, POINTS[items], np.inf))


@st.composite
def sound(draw: st.DrawFn) -> tuple[Cases, np.ndarray[Any, np.dtype[np.int32]]]:
    """Up to six cases over 12 items with answers that keep every rule; k is 5."""
    own = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))  # quicker than drawing each list
    candidates = own.random(ITEMS) < own.random()
    histories, targets, rows = [], [], []
    for _ in range(draw(st.integers(1, 6))):
        mixed = own.permutation(ITEMS)
        cut = int(own.integers(0, 5))
        histories.append(mixed[:cut].tolist())
        targets.append(mixed[cut:][: own.integers(0, 4)].tolist())
        allowed = [item for item in own.permutation(mixed[cut:]).tolist() if candidates[item]]
        rows.append(allowed[: own.integers(0, 6)])
    return cases(targets, histories, candidates), answers([*rows, [0] * 5])[:-1]
