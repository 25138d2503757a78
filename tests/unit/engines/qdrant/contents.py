"""What the tests of Qdrant write to its stand-in, and how they have it fail."""

from __future__ import annotations

from typing import Any

import numpy as np

from engines.base import Batch, Field, Schema
from engines.qdrant.adapter import Qdrant
from tests.servers.qdrant_stand_in import Failure, StandIn
from tests.servers.qdrant_stand_in_rest import RestFailure

SCHEMA = Schema(3, "l2", (Field("price", "integer"),))
BATCH = Batch(np.arange(6), np.eye(6, 3, dtype=np.float32), {"price": np.arange(6)})


def fails(stand_in: StandIn, engine: Qdrant, method: str, code: Any, status: int, *, times: int = 1) -> None:
    """The next writes or queries fail."""
    path = {"Upsert": "/points", "Delete": "/points/delete", "Query": "/points/query"}[method]
    failure = Failure(method, code) if engine._params.prefer_grpc else RestFailure(path, status)
    stand_in.failures.extend([failure] * times)
