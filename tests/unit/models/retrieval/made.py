"""Held-out users over a few hundred listings with brands, and engines made of exact search with one fault each."""

from __future__ import annotations

from typing import Any

import numpy as np

from engines.base import Metric
from engines.columns import Keywords
from engines.filters import Eq, Filter
from harness.data.dataset import Attribute, Dataset
from harness.oracle.exact import Truth, exact_neighbours
from models.data.interactions import ItemLists
from models.data.split import Cases
from models.evaluation.popularity import Popularity
from models.retrieval.held_out import HeldOut

K, BRANDS = 20, 4


def held_out(users: int = 400, listings: int = 300, metric: Metric = "cosine", seed: int = 0) -> HeldOut:
    """Users with up to seven listings as their history: those nearest to them, as real histories are. Each has one
    target, which is among the 40 nearest beyond these.
    """
    rng = np.random.default_rng(seed)
    vectors, queries = (rng.standard_normal((count, 8)).astype(np.float32) for count in (listings, users))
    dataset = Dataset(
        "made",
        metric,
        vectors,
        queries,
        "fingerprint",
        (Attribute("brand", "keyword", "real"),),
        {"brand": Keywords.encode([f"b{row % BRANDS}" for row in range(listings)])},
    )
    nearest = exact_neighbours(vectors, queries, listings, metric).ids
    lengths = rng.integers(0, 8, users)
    histories = [nearest[user, :length] for user, length in enumerate(lengths)]
    targets = [[nearest[user, length + rng.integers(40)]] for user, length in enumerate(lengths)]
    cases = Cases(np.arange(users, dtype=np.int32), ItemLists.of(histories), ItemLists.of(targets))
    return HeldOut(dataset, cases, Popularity.of(np.arange(listings), listings), 0)


def own_filters(held: HeldOut) -> tuple[Filter | None, ...]:
    """Each user asks for one brand."""
    return tuple(Eq("brand", f"b{user % BRANDS}") for user in range(len(held.cases)))


def no_filters(held: HeldOut) -> tuple[Filter | None, ...]:
    return (None,) * len(held.cases)


def truth(held: HeldOut, filters: tuple[Filter | None, ...], k: int = K) -> Truth:
    data = held.dataset
    return exact_neighbours(data.vectors, data.queries, max(held.hits(k)), data.metric, filters, data.columns)


def asked(held: HeldOut, filters: tuple[Filter | None, ...], k: int = K) -> np.ndarray[Any, Any]:
    """What an exact engine answers: as many hits as each user is asked for, histories among them."""
    found = truth(held, filters, k).ids
    return np.where(np.arange(found.shape[1]) < np.array(held.hits(k))[:, None], found, -1)


def losing(answers: np.ndarray[Any, Any], share: float, seed: int = 0) -> np.ndarray[Any, Any]:
    """The same with this share of the hits gone, each by chance; the others move up."""
    kept = (answers >= 0) & (np.random.default_rng(seed).random(answers.shape) >= share)
    left = np.where(kept, answers, -1)
    return np.take_along_axis(left, np.argsort(~kept, axis=1, kind="stable"), axis=1)
