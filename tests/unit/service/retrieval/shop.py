"""A shop of random listings: its truth in memory, engines that hold it, and retrieval over both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from engines.base import Batch, Engine, Field, Keywords, Schema
from engines.bruteforce.adapter import BruteForce, Params
from engines.faiss.adapter import Faiss
from engines.faiss.params import IndexParams
from engines.filters import Filter, Mask, matches
from harness.oracle.exact import exact_neighbours
from service.catalogue.listing import Listing, OutboxRow
from service.catalogue.schema import CatalogueSchema
from service.limits.deadline import Deadline
from service.retrieval.options import RetrievalOptions
from service.retrieval.retrieval import Retrieval
from service.retrieval.sources import Index
from service.retrieval.users import UserVectors
from service.retrieval.values import Answer, Request

DIM = 6
BRANDS, SIZES, SELLERS = ["acme", "it's", "é", ""], [36, 38, 40, 2**53 + 1], ["s0", "s1", "s2"]
WORDS = ["red", "blue", "wool", "coat", "shoe", "größe"]
SCHEMA = CatalogueSchema(
    Schema(
        DIM,
        "ip",
        (
            Field("brand", "keyword"),
            Field("size", "integer"),
            Field("price", "float"),
            Field("new", "boolean"),
            Field("taken", "integer"),
        ),
        model="towers@1",
    ),
    details=("title", "seller"),
    texts=("title",),
    seller="seller",
    brand="brand",
)
DAY_MS = 86_400_000
NOW_MS = 1_800_000_000_000


def listings(count: int, seed: int = 0, dim: int = DIM) -> list[Listing]:
    """Random ones, numbered from 0."""
    rng = np.random.default_rng(seed)
    return [
        Listing(
            f"id-{number}",
            number,
            1,
            {
                "brand": BRANDS[rng.integers(len(BRANDS))],
                "size": SIZES[rng.integers(len(SIZES))],
                "price": round(float(rng.uniform(1, 100)), 2),
                "new": bool(rng.integers(2)),
                "taken": int(rng.integers(50)),
            },
            {"title": " ".join(rng.choice(WORDS, 3)), "seller": (seller := SELLERS[rng.integers(3)])},
            rng.standard_normal(dim).astype(np.float32),
            "towers@1",
            seller,
            None,
            NOW_MS - int(rng.integers(60)) * DAY_MS,
            NOW_MS,
        )
        for number in range(count)
    ]


class Truth:
    """A store in memory, as much of one as retrieval reads."""

    schema = SCHEMA

    def __init__(self, stored: Iterable[Listing]) -> None:
        self.there: dict[int, Listing] = {}
        self._changes: dict[int, OutboxRow] = {}
        self._seq = 0
        self.put(stored)

    def put(self, stored: Iterable[Listing]) -> None:
        for listing in stored:
            self.there[listing.number] = replace(listing, brand=str(listing.attributes["brand"]))
            self._note(listing.number, listing.version, False)

    def remove(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._note(number, self.there.pop(number).version + 1, True)

    def _note(self, number: int, version: int, removed: bool) -> None:
        self._seq += 1
        self._changes.pop(number, None)
        self._changes[number] = OutboxRow(self._seq, number, version, removed)

    def get(self, ids: Iterable[str]) -> dict[str, Listing]:
        wanted = set(ids)
        return {listing.id: listing for listing in self.there.values() if listing.id in wanted}

    def by_number(self, numbers: Iterable[int]) -> dict[int, Listing]:
        return {number: self.there[number] for number in numbers if number in self.there}

    def changes_after(self, seq: int, limit: int = 1000) -> list[OutboxRow]:
        return [row for row in self._changes.values() if row.seq > seq][:limit]

    def last_seq(self) -> int:
        return self._seq


def columns(stored: Sequence[Listing]) -> dict[str, Any]:
    """The attributes of listings, column by column."""
    kinds = {"integer": np.int64, "float": np.float64, "boolean": np.bool_}
    return {
        known.name: Keywords.encode([str(one.attributes[known.name]) for one in stored])
        if known.kind == "keyword"
        else np.array([one.attributes[known.name] for one in stored], kinds[known.kind])
        for known in SCHEMA.engine.fields
    }


def filled(engine: Engine, stored: Sequence[Listing]) -> Engine:
    """The engine with these listings."""
    engine.create(SCHEMA.engine)
    if stored:
        vectors = np.stack([listing.vector for listing in stored])
        engine.index(Batch(np.array([one.number for one in stored]), vectors, columns(stored)))
    engine.refresh()
    return engine


def brute_force(stored: Sequence[Listing]) -> Engine:
    return filled(BruteForce(Path(), Params()), stored)


def faiss(stored: Sequence[Listing], folder: Path) -> Engine:
    folder.mkdir(exist_ok=True)
    return filled(Faiss(folder, IndexParams(kind="hnsw", M=4)), stored)


@dataclass
class Shop:
    """Retrieval over an index and a truth; `ask` answers one request."""

    truth: Truth
    index: Index
    options: RetrievalOptions = field(default_factory=RetrievalOptions)
    models: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        users = UserVectors(self.truth, SCHEMA.engine)  # type: ignore[arg-type]
        self.retrieval = Retrieval(
            self.truth,  # type: ignore[arg-type]
            {"live": self.index},
            {"live": users} | self.models,
            self.options,
            now_ms=lambda: NOW_MS,
        )

    def __enter__(self) -> Shop:
        self.retrieval.load()
        return self

    def __exit__(self, *_: object) -> None:
        self.retrieval.close()

    def ask(self, request: Request, budget_s: float = 30.0) -> Answer:
        return asyncio.run(self.retrieval.answer(request, Deadline.after(time.monotonic(), budget_s)))


def shop(count: int = 100, seed: int = 0, **options: Any) -> Shop:
    """One whose engine scans."""
    stored = listings(count, seed)
    return Shop(Truth(stored), brute_force(stored), RetrievalOptions(**options))


def numbers(answer: Answer) -> list[int]:
    """Of the hits, in their order."""
    return [hit.listing.number for hit in answer.hits]


def matching(stored: Sequence[Listing], where: Filter | None) -> Mask:
    """Which listings match, by the meaning of filters alone."""
    return matches(where, columns(stored), len(stored))


def nearest(stored: Sequence[Listing], vector: Any, where: Filter | None = None) -> list[int]:
    """The oracle: the numbers of all that match, best first."""
    if not stored:
        return []
    truth = exact_neighbours(
        np.stack([one.vector for one in stored]), vector[None], len(stored), "ip", [where], columns(stored)
    )
    return [stored[row].number for row in truth.ids[0].tolist() if row >= 0]
