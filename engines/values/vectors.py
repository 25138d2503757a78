"""What vectors must be before any engine is given them, so that all refuse the same."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from engines.base import EngineError, Schema, Vectors


def require_query(vector: Vectors, schema: Schema) -> None:
    """Raises EngineError unless a query's vector has the schema's dimension and finite numbers.

    No engine agrees with another on what is near NaN or an infinite number: some answer with nothing, some with
    anything. Costs a microsecond: 0 times a finite number is 0, and NaN times any other.
    """
    schema.require_dim(vector)
    if np.vdot(vector, _zeros(len(vector))) != 0:  # not dot(), which warns as well
        raise EngineError("a query's vector holds NaN or an infinite number, and nothing is nearest to that")


def require_vectors(batch_ids: np.ndarray, vectors: Vectors, schema: Schema) -> None:
    """Raises EngineError unless every vector has the schema's dimension and finite numbers; names the first item."""
    schema.require_dim(vectors)
    # float64 holds the sum of any float32, so only what is not finite makes one that is not.
    with np.errstate(invalid="ignore"):
        total = vectors.sum(dtype=np.float64)
    if np.isfinite(total):
        return
    row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
    raise EngineError(f"the vector of item {batch_ids[row]} holds NaN or an infinite number; remove it")


@lru_cache
def _zeros(dim: int) -> Vectors:
    return np.zeros(dim, np.float32)
