"""Batches of training examples: of each user one item to be found and the others, or those before it, as history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.data.interactions import ItemLists

DAY_MS = 86_400_000


class Batch(NamedTuple):
    """b examples with at most m items of history each.

    items: int32[b, m]. present: bool[b, m]. age_days: float32[b, m]. target: int32[b]. declared: int32[b], an item
    whose features stand for what the user declares, chosen from the whole history, -1 for nothing.
    """

    items: npt.NDArray[np.int32]
    present: npt.NDArray[np.bool_]
    age_days: npt.NDArray[np.float32]
    target: npt.NDArray[np.int32]
    declared: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How examples are drawn.

    size: examples a batch. longest: items of history at most, the newest. dropout: share of the history left out.
    forgotten: share of the examples whose whole history is left out. declared: share of the examples with a declared
    preference, and of those without history 1.
    """

    size: int
    longest: int
    dropout: float
    forgotten: float
    declared: float


def padded(
    lists: ItemLists, longest: int, asked_ms: npt.NDArray[np.int64] | None = None
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
    """The newest `longest` items of each list: items int32[b, m], present bool[b, m], age in days float32[b, m]."""
    lengths = np.minimum(lists.lengths, longest)
    present = np.arange(longest) < lengths[:, None]
    places = (lists.starts[1:] - lengths)[:, None] + np.arange(longest)
    items = np.zeros(present.shape, np.int32)
    items[present] = lists.items[places[present]]
    ages = np.zeros(present.shape, np.float32)
    if lists.times_ms is not None and asked_ms is not None:
        moments = np.broadcast_to(asked_ms[:, None], present.shape)[present]
        ages[present] = np.maximum(0.0, (moments - lists.times_ms[places[present]]) / DAY_MS)
    return items, present, ages


def epoch(lists: ItemLists, ordered: bool, sampling: Sampling, rng: np.random.Generator) -> Iterator[Batch]:
    """One example of every user with two items or more, in a new order; what does not fill a batch is left for another
    epoch.
    """
    users = rng.permutation(np.flatnonzero(lists.lengths >= 2))
    for begin in range(0, len(users) - sampling.size + 1, sampling.size):
        yield _batch(lists.take(users[begin : begin + sampling.size]), ordered, sampling, rng)


def examples_per_epoch(lists: ItemLists) -> int:
    """How many users have an example to offer."""
    return int(np.count_nonzero(lists.lengths >= 2))


def _batch(lists: ItemLists, ordered: bool, sampling: Sampling, rng: np.random.Generator) -> Batch:
    rows, lengths = len(lists), lists.lengths
    # Ordered: what was taken first has nothing before it.
    chosen = rng.integers(1, lengths) if ordered else rng.integers(0, lengths)
    target = lists.items[lists.starts[:-1] + chosen]
    places = np.arange(len(lists.items)) - np.repeat(lists.starts[:-1], lengths)
    at = np.repeat(chosen, lengths)
    before = places < at if ordered else places != at
    declared = _declared(lists, before, rng)
    kept = before & (rng.random(len(before)) >= sampling.dropout)
    owner = np.repeat(np.arange(rows), lengths)
    lost = np.bincount(owner[kept], minlength=rows) == 0
    kept |= before & lost[owner]  # dropout never empties a history: that is what `forgotten` is for
    forgotten = rng.random(rows) < sampling.forgotten
    kept &= ~forgotten[owner]
    history = ItemLists(
        np.concatenate([[0], np.cumsum(np.bincount(owner[kept], minlength=rows))]),
        lists.items[kept],
        None if lists.times_ms is None else lists.times_ms[kept],
    )
    asked = None if lists.times_ms is None else lists.times_ms[lists.starts[:-1] + chosen]
    items, present, ages = padded(history, sampling.longest, asked)
    says = forgotten | (rng.random(rows) < sampling.declared)
    return Batch(items, present, ages, target, np.where(says, declared, -1).astype(np.int32))


def _declared(
    lists: ItemLists, before: npt.NDArray[np.bool_], rng: np.random.Generator
) -> npt.NDArray[np.int32]:
    """One item of each row's history, each equally likely: int32[rows]."""
    counts = np.add.reduceat(before, lists.starts[:-1])
    nth = np.floor(rng.random(len(counts)) * counts).astype(np.int64)
    firsts = np.concatenate([[0], np.cumsum(counts)])[:-1]
    return lists.items[before][firsts + nth]
