"""A collection as it should be, compared with an engine's answers by the oracle."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from engines.base import Batch, Engine, Hits, Schema
from engines.columns import Column, arrays_of, decoded
from engines.filters import Filter, matches
from engines.values.columns import column_of
from harness.oracle.exact import exact_neighbours


@dataclass
class Model:
    """The items an engine should hold, by id; every write goes to both."""

    schema: Schema
    engine: Engine
    items: dict[int, tuple[np.ndarray, tuple[Any, ...]]] = field(default_factory=dict)

    def upsert(self, ids: Any, vectors: Any, **columns: list[Any]) -> None:
        self.write(make_batch(self.schema, ids, vectors, columns))

    def write(self, batch: Batch) -> None:
        self.remember(batch)
        self.engine.index(batch)

    def remember(self, batch: Batch) -> None:
        """Takes note of a batch that is written to the engine by somebody else."""
        values = [decoded(batch.attributes[field.name]) for field in self.schema.fields]
        for row, id_ in enumerate(batch.ids.tolist()):
            self.items[id_] = (batch.vectors[row], tuple(column[row] for column in values))

    def delete(self, ids: list[int]) -> None:
        for id_ in ids:
            self.items.pop(id_, None)
        self.engine.delete(np.array(ids, dtype=np.int64))

    def settle(self) -> None:
        """Refreshes, then compares the number of items."""
        self.engine.refresh()
        assert self.engine.count() == len(self.items)
        assert self.engine.stats().vectors == len(self.items)

    @property
    def ids(self) -> np.ndarray:
        return np.array(list(self.items), dtype=np.int64)

    @property
    def vectors(self) -> np.ndarray:
        stacked = [vector for vector, _ in self.items.values()]
        return np.array(stacked, dtype=np.float32).reshape(len(stacked), self.schema.dim)

    @property
    def columns(self) -> dict[str, Column]:
        rows = [values for _, values in self.items.values()]
        return {f.name: column_of([row[i] for row in rows], f.kind) for i, f in enumerate(self.schema.fields)}

    def matching(self, where: Filter | None) -> set[int]:
        return set(self.ids[matches(where, self.columns, len(self.items))].tolist())

    def recall(
        self, queries: np.ndarray, k: int, where: Filter | None = None, *, exact: bool = False
    ) -> float:
        """Asks every query, checks all that must hold of any answer, and returns the mean recall.

        Ties count as hits: an item counts if it is no farther than the k-th of the truth.
        """
        ids, vectors, allowed = self.ids, self.vectors, self.matching(where)
        truth = exact_neighbours(
            vectors, queries, k, self.schema.metric, [where] * len(queries), self.columns
        )
        row_of = {id_: row for row, id_ in enumerate(ids.tolist())}
        found = 0
        expected = int(np.minimum(truth.matches, k).sum())
        for query, distances in zip(queries, truth.distances, strict=True):
            hits = self.engine.query(query, k, where, exact=exact)
            check_form(hits, k, allowed)
            rows = [row_of[int(id_)] for id_ in hits.ids]
            actual = distance(vectors[rows], query, self.schema.metric)
            check_scores(hits, actual, self.schema.metric)
            limit = distances[min(k, len(allowed)) - 1] if allowed else -np.inf
            found += int((actual <= limit + 1e-5 * max(1.0, abs(limit))).sum())
        return found / expected if expected else 1.0

    def check_exact(self, queries: np.ndarray, k: int, where: Filter | None = None) -> None:
        """Exact mode, where there is one, finds exactly the k nearest; the other mode breaks no rule."""
        self.recall(queries, k, where)
        if self.engine.capabilities.exact:
            assert self.recall(queries, k, where, exact=True) == 1.0


def check_form(hits: Hits, k: int, allowed: set[int]) -> None:
    """At most k hits, each once, alive and matching, with as many finite scores."""
    ids = [int(id_) for id_ in hits.ids]
    assert len(ids) <= k
    assert len(set(ids)) == len(ids)
    assert set(ids) <= allowed
    assert len(hits.scores) == len(ids)
    assert np.isfinite(np.asarray(hits.scores, dtype=np.float64)).all()


def check_scores(hits: Hits, actual: np.ndarray, metric: str) -> None:
    """Scores are of the documented form, best first."""
    scores = np.asarray(hits.scores, dtype=np.float64)
    expected = actual if metric == "l2" else -actual if metric == "ip" else 1 - actual
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5 * scale)
    falling = scores if metric == "l2" else -scores
    assert (np.diff(falling) >= -1e-6 * scale).all()


def distance(vectors: np.ndarray, query: np.ndarray, metric: str) -> np.ndarray:
    """float64[n], the smaller the nearer, by the definition."""
    rows, query = vectors.astype(np.float64), query.astype(np.float64)
    if metric == "l2":
        return ((rows - query) ** 2).sum(axis=1)
    products = rows @ query
    if metric == "ip":
        return -products
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(query)
    return 1 - np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)


def make_batch(schema: Schema, ids: Any, vectors: Any, columns: dict[str, list[Any]]) -> Batch:
    """A batch of read-only arrays, as a memory-mapped dataset has them."""
    batch = Batch(
        np.array(ids, dtype=np.int64),
        np.array(vectors, dtype=np.float32).reshape(len(ids), schema.dim),
        {field.name: column_of(columns[field.name], field.kind) for field in schema.fields},
    )
    parts = (arrays_of(column).values() for column in batch.attributes.values())
    for array in (batch.ids, batch.vectors, *chain.from_iterable(parts)):
        array.setflags(write=False)
    return batch
