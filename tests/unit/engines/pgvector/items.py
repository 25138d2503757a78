"""Items that the tests of pgvector write, and how they are described."""

from __future__ import annotations

import numpy as np

from engines.base import Batch, Field, Schema
from engines.columns import Keywords

SCHEMA = Schema(
    2,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("r", "float"), Field("new", "boolean")),
)


def batch(ids: list[int], brands: list[str], ratings: list[float] | None = None) -> Batch:
    rows = len(ids)
    columns = {
        "brand": Keywords.encode(brands),
        "price": np.arange(rows),
        "r": np.array(ratings or [0.5] * rows),
        "new": np.zeros(rows, dtype=np.bool_),
    }
    return Batch(np.array(ids), np.arange(rows * 2, dtype=np.float32).reshape(rows, 2), columns)
