"""What the tests of Milvus write, and what they have a server say it holds."""

from __future__ import annotations

import numpy as np
from pymilvus.grpc_gen import milvus_pb2

from engines.base import Batch, Field, Schema
from engines.columns import Keywords
from tests.servers.fake_milvus import FakeMilvus

SCHEMA = Schema(
    4,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("size", "float"), Field("new", "boolean")),
)


def batch(rows: int, first: int = 0, word: str = "x") -> Batch:
    return Batch(
        np.arange(first, first + rows),
        np.arange(4 * rows, dtype=np.float32).reshape(rows, 4),
        {
            "brand": Keywords.encode([word] * rows),
            "price": np.full(rows, -1, dtype=np.int64),
            "size": np.full(rows, 0.5),
            "new": np.ones(rows, dtype=np.bool_),
        },
    )


def stores(server: FakeMilvus, rows: dict[int, int]) -> None:
    """Has the server store these segments; beside them one without rows, one of deletes and one still written."""
    extra = (
        {"segmentID": 97, "state": "Flushed"},
        {"segmentID": 98, "state": "Flushed", "num_rows": 5, "level": "L0"},
        {"segmentID": 99, "state": "Growing", "num_rows": 5},
    )
    written = [{"segmentID": id_, "num_rows": count, "state": "Flushed"} for id_, count in rows.items()]
    reply = milvus_pb2.GetPersistentSegmentInfoResponse(infos=[*written, *extra])
    server.answers["GetPersistentSegmentInfo"] = lambda _: reply
