"""A made-up trained model, judged on made-up answers: what a page is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from models.data.interactions import ItemLists
from models.data.items import Items
from models.data.split import Cases
from models.encoding.user import UserEncoder
from models.evaluation.cells import Plan, Table
from models.evaluation.nearest import Nearest
from models.evaluation.popularity import Popularity
from models.evaluation.table import tabulate
from models.report.page import Trained
from tests.unit.models.encoding.made import unit_vectors, weights
from tests.unit.models.publishing.shop import FILTERS, listings, shop

K, MODEL = 5, "two-tower"


def cases(users: int = 40) -> Cases:
    """User 0 took nothing before, the others one to four listings."""
    return shop(users, seed=1).cases


def popularity(count: int = 60) -> Popularity:
    return Popularity.of(np.arange(count, dtype=np.int64) % 7, count)


def answers(asked: Cases, hits: float, seed: int = 0, count: int = 60) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Random listings outside the history; of a share of the users the first is their target."""
    rng = np.random.default_rng(seed)
    found = []
    for row in range(len(asked)):
        taken = {*asked.histories[row].tolist(), *asked.targets[row].tolist()}
        others = [item for item in rng.permutation(count).tolist() if item not in taken]
        first = [int(asked.targets[row][0])] if row < hits * len(asked) else []
        found.append((first + others)[:K])
    return np.array(found, np.int32)


def table(ours: float = 0.8, blend: float = 0.2, users: int = 40) -> Table:
    """The model and two baselines; the shares of users whose target they answer."""
    asked = cases(users)
    given = {
        MODEL: answers(asked, ours),
        "popularity": answers(asked, 0.0, 1),
        "blend": answers(asked, blend, 2),
    }
    return tabulate(given, asked, popularity(), Plan((K,), MODEL, draws=200))


def model(**changes: Any) -> dict[str, Any]:
    """The content of model.json."""
    content: dict[str, Any] = {
        "name": "tiny",
        "version": "3",
        "hash": "0123456789abcdef" * 4,
        "dim": 8,
        "data": {
            "items": 60,
            "users": 50,
            "interactions": 321,
            "left_out": {"rows of unknown items": 17},
            "notes": ["times were read as seconds"],
            "columns": [
                _column("id", ["id"], "named in items.id"),
                _column("size", ["category"], "few different words"),
                _column("stock", [], "holds one value only"),
            ],
            "features": {
                "missing": {"size": 0, "kind": 6, "price": 8, "title": 12},
                "unknown": {"size": 0, "kind": 3, "price": 0, "title": 0},
            },
            "split": {
                "kind": "time",
                "why": "by time: 90% of the users took items at more than one moment",
                "training": 200,
                "validation": 30,
                "test": 40,
                "left_out": {"targets that the user had taken before": 4},
            },
        },
        "configuration": {"training": {"epochs": 5, "patience": 2}},
        "epochs": [epoch(0, 4.0, 0.1, 50.0), epoch(1, 3.0, 0.3, 900.0), epoch(2, 2.5, 0.2, 1100.0)],
        "dataset": {"items": 60, "left_out": 0, "queries": 40, "filters": {"filtered": 39}},
    }
    return content | changes


def epoch(number: int, loss: float, recall: float, rate: float) -> dict[str, float]:
    return {"epoch": number, "loss": loss, "recall": recall, "examples_per_s": rate}


def _column(name: str, read_as: list[str], why: str) -> dict[str, Any]:
    return {"name": name, "read_as": read_as, "why": why, "distinct": 3, "missing": 0}


def nearest(items: Items) -> Nearest:
    count = len(items)
    return Nearest(
        UserEncoder(weights().user), unit_vectors(count), np.zeros(count, np.float32), popularity(count)
    )


def trained(items: Items | None = None, **changes: Any) -> Trained:
    items = items if items is not None else listings()
    return replace(Trained(model(), table(), items, nearest(items), cases(), FILTERS), **changes)


def lists(*rows: list[int]) -> ItemLists:
    return ItemLists.of(list(rows))
