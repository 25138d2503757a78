"""A small shop: listings with gaps, users with and without a history, and vectors from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.identity import ModelIdentity
from models.data.interactions import ItemLists
from models.data.items import Categories, Items
from models.data.split import Cases
from models.evaluation.popularity import Popularity
from models.publishing.options import OwnFilters, PublishingOptions
from models.publishing.writing import Published, write_dataset

IDENTITY = ModelIdentity("tower", "3", "0123456789abcdef" * 4)
FILTERS = OwnFilters(equal=("size",), among=("kind",), range=("price",))
DIM = 6


def objects(values: list[Any]) -> np.ndarray:
    found = np.empty(len(values), object)
    found[:] = values
    return found


def listings(count: int = 60) -> Items:
    """Sizes S, M, L, kinds of which every tenth is missing, prices of which every seventh is, and titles."""
    rows = range(count)
    return Items(
        objects([f"i{row}" for row in rows]),
        {
            "size": Categories.encode(["SML"[row % 3] for row in rows]),
            "kind": Categories.encode([None if row % 10 == 9 else f"kind {row % 4}" for row in rows]),
        },
        {"price": np.array([np.nan if row % 7 == 6 else 10.0 + row for row in rows])},
        {"title": objects([f"Title \u00fc {row}" if row % 5 else "" for row in rows])},
        np.arange(count) * 1000,
    )


@dataclass(frozen=True)
class Shop:
    """What a trained model has at hand when it writes."""

    items: Items
    vectors: np.ndarray
    cases: Cases
    queries: np.ndarray
    user_ids: np.ndarray

    def write(self, folder: Path, identity: ModelIdentity = IDENTITY, **options: Any) -> Published:
        chosen = PublishingOptions(**({"filters": FILTERS} | options))
        return write_dataset(
            folder,
            self.items,
            self.vectors,
            self.cases,
            self.queries,
            user_ids=self.user_ids,
            identity=identity,
            popularity=Popularity.of(np.arange(len(self.items)), len(self.items)),
            options=chosen,
        )


def shop(users: int = 12, seed: int = 0, count: int = 60) -> Shop:
    """User 0 took nothing before, the others one to four listings; every target is outside the history."""
    rng = np.random.default_rng(seed)
    picks = [rng.permutation(count)[: min(user, 4) + 1].astype(np.int32) for user in range(users)]
    cases = Cases(
        rng.permutation(users).astype(np.int32),
        ItemLists.of([pick[:-1] for pick in picks]),
        ItemLists.of([pick[-1:] for pick in picks]),
    )
    vectors, queries = (rng.standard_normal((rows, DIM), np.float32) for rows in (count, users))
    return Shop(listings(count), vectors, cases, queries, objects([f"u{row}" for row in range(users)]))


def among(whole: Shop, kept: np.ndarray) -> Shop:
    """The same shop where only these listings may be answered."""
    mask = np.zeros(len(whole.items), np.bool_)
    mask[kept] = True
    return replace(whole, cases=replace(whole.cases, candidates=mask))
