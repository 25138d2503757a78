"""A shop: engines that hold the same listings as a truth, and retrieval over both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engines.base import Batch, Engine
from engines.bruteforce.adapter import BruteForce, Params
from engines.faiss.adapter import Faiss
from engines.faiss.params import IndexParams
from engines.filters import Filter
from harness.oracle.exact import exact_neighbours
from service.catalogue.listing import Listing
from service.limits.deadline import Deadline
from service.retrieval.options import RetrievalOptions
from service.retrieval.retrieval import Retrieval
from service.retrieval.sources import Index
from service.retrieval.users import UserVectors
from service.retrieval.values import Answer, Request
from tests.unit.service.memory.truth import NOW_MS, SCHEMA, Truth, columns, listings


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


def nearest(stored: Sequence[Listing], vector: Any, where: Filter | None = None) -> list[int]:
    """The oracle: the numbers of all that match, best first."""
    if not stored:
        return []
    truth = exact_neighbours(
        np.stack([one.vector for one in stored]), vector[None], len(stored), "ip", [where], columns(stored)
    )
    return [stored[row].number for row in truth.ids[0].tolist() if row >= 0]
