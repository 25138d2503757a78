"""Small files and interactions, made up for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import settings

from harness.errors import BakeoffError
from models.data.interactions import Interactions
from models.data.items import Items

quick = settings(max_examples=40, deadline=None)  # the first example waits for imports


def write(path: Path, **columns: Any) -> Path:
    """A Parquet file of these columns: lists, or Arrow's arrays."""
    pq.write_table(pa.table(columns), path)
    return path


def catalogue(count: int = 3, listed_ms: Sequence[int] | None = None) -> Items:
    """Items 0, 1, 2 ... of which nothing is known, or when they were listed."""
    ids = np.empty(count, object)
    ids[:] = list(range(count))
    return Items(ids, listed_ms=None if listed_ms is None else np.array(listed_ms, np.int64))


def named(*ids: Any) -> Items:
    """Items with these ids."""
    found = np.empty(len(ids), object)
    found[:] = list(ids)
    return Items(found)


def taken(*rows: tuple[int, int] | tuple[int, int, int], users: int | None = None) -> Interactions:
    """Interactions as (user, item) or (user, item, milliseconds)."""
    columns = np.array(rows, np.int64).reshape(len(rows), -1)
    count = users or int(columns[:, 0].max()) + 1
    ids = np.empty(count, object)
    ids[:] = [f"u{number}" for number in range(count)]
    return Interactions(
        columns[:, 0].astype(np.int32),
        columns[:, 1].astype(np.int32),
        np.ones(len(columns), np.float32),
        ids,
        columns[:, 2] if columns.shape[1] == 3 else None,
    )


def lists(found: Any) -> list[list[int]]:
    """The rows of ItemLists."""
    return [found[row].tolist() for row in range(len(found))]


def refusal(caught: pytest.ExceptionInfo[BakeoffError]) -> str:
    """What the error says."""
    return str(caught.value)
