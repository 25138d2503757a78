"""What the tests of users' own data share: a folder of theirs, and what must become of its rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.data.catalogue import load_dataset
from harness.data.dataset import Dataset
from harness.errors import ConfigurationError

ROWS, DIM, QUERIES = 40, 4, 5
VECTORS = np.random.default_rng(0).standard_normal((ROWS, DIM), dtype=np.float32)


class Folder:
    """A user's folder, its cache beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path / "mine"
        self.cache = path / "cache"
        self.path.mkdir()
        self.array("vectors", VECTORS)
        self.array("queries", VECTORS[:QUERIES])
        self.text("dataset.yaml", "metric: l2\n")

    def array(self, name: str, values: Any) -> None:
        np.save(self.path / f"{name}.npy", values)

    def text(self, name: str, text: str) -> None:
        (self.path / name).write_text(text, encoding="utf-8")

    def table(self, **columns: Any) -> None:
        pq.write_table(pa.table(columns), self.path / "attributes.parquet")

    def load(self, changes: str = "") -> Dataset:
        return load_dataset(f"{self.path}{changes}", cache=self.cache)

    def problems(self, changes: str = "") -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            self.load(changes)
        assert not [path for path in self.cache.glob("*") if path.is_dir()]
        return [problem.removeprefix(f"{self.path}/") for problem in caught.value.problems]


def every(value: Callable[[int], Any]) -> list[Any]:
    return [value(row) for row in range(ROWS)]


def check_held_out(dataset: Dataset, queries: int) -> None:
    """Items and held-out queries are the input's rows, each once, and attributes moved along."""
    assert (len(dataset.vectors), len(dataset.queries)) == (ROWS - queries, queries)
    rows = dataset.columns["row"]
    np.testing.assert_array_equal(dataset.vectors, VECTORS[rows])
    left = {vector.tobytes() for vector in VECTORS} - {vector.tobytes() for vector in dataset.vectors}
    assert left == {vector.tobytes() for vector in dataset.queries}
    assert dataset.ids is not None and dataset.ids.tolist() == [f"i{row}" for row in rows]  # type: ignore[union-attr]
    assert f"{queries} rows drawn at random are held out as queries" in dataset.description
