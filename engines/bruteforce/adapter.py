"""A NumPy scan over everything: exact and slow; any index has to be faster."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from engines.base import (
    Batch,
    Capabilities,
    Engine,
    EngineStats,
    Hits,
    Ids,
    Schema,
    UnsupportedError,
    Vectors,
)
from engines.filters import Filter
from engines.values.columns import ColumnStore, normalized, prepared
from engines.values.growing import Growable
from engines.values.vectors import require_query

_NONE = Hits(np.empty(0, np.int64), np.empty(0, np.float64))
_UNIT_ROUNDOFF = 2.0**-24  # of float32
_GATHER_SHARE = 4  # below a quarter of the rows, copying the matching ones is cheaper than scanning all


class Params(BaseModel):
    """A scan has nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BruteForce(Engine):
    """Keeps rows as they come and scans them in float32; the candidates are ordered in float64."""

    capabilities = Capabilities(immediate=True, thread_safe=True, lookup=True, tags=True, missing=True)
    IndexParams: ClassVar = Params
    SearchParams: ClassVar = Params

    def __init__(self, path: Path, index: BaseModel) -> None:
        """Path and index: not used, there is nothing to keep or to set."""

    @classmethod
    def version(cls) -> str:
        """NumPy's, which does the work."""
        return f"numpy {np.__version__}"

    def create(self, schema: Schema) -> None:
        self._store = ColumnStore(schema)
        self._vectors = Growable(np.float32, schema.dim)
        self._squares = Growable(np.float32)  # squared lengths, for |x - q|^2 = |x|^2 - 2xq + |q|^2
        self._longest = 0.0

    def open(self, schema: Schema) -> None:
        raise UnsupportedError("bruteforce keeps nothing on disk, create the collection again")

    def configure(self, search: BaseModel) -> None:
        pass

    def index(self, batch: Batch) -> None:
        batch = prepared(batch, self._store.schema)
        squares = np.einsum("ij,ij->i", batch.vectors, batch.vectors)
        self._store.append(batch)
        self._vectors.append(
            batch.vectors
        )  # as they are: at length 1, float32 cannot tell nearly parallel ones apart
        self._squares.append(squares)
        self._longest = max(self._longest, float(np.sqrt(squares.max(initial=0))))

    def refresh(self) -> None:
        pass

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        require_query(vector, self._store.schema)
        vector = np.asarray(vector, np.float32)
        mask = self._store.select(where)
        if mask is None:
            rows = None
            scores = self._closeness(vector, self._vectors.view, self._squares.view)
        else:
            rows = np.flatnonzero(mask)
            if len(rows) * _GATHER_SHARE < len(mask):
                scores = self._closeness(vector, self._vectors.view[rows], self._squares.view[rows])
            else:
                scores = self._closeness(vector, self._vectors.view, self._squares.view)[rows]
        if not len(scores):
            return _NONE
        near = self._candidates(scores, vector, k)
        return self._ordered(vector, near if rows is None else rows[near], k)

    def _closeness(
        self, vector: Vectors, vectors: Vectors, squares: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Float32 scores, the higher the closer; for l2 without the query's own length."""
        metric = self._store.schema.metric
        products: npt.NDArray[np.float32] = vectors @ (normalized(vector) if metric == "cosine" else vector)
        if metric == "l2":
            return 2 * products - squares
        if metric == "cosine":
            products /= np.sqrt(np.where(squares > 0, squares, np.float32(1)))
        return products

    def _candidates(self, scores: npt.NDArray[np.float32], vector: Vectors, k: int) -> npt.NDArray[np.intp]:
        """Every row that may be among the k best once rounding errors are taken away.

        A dot product of d terms is off by at most d*u / (1 - d*u) times the product of both lengths
        (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), u being the unit roundoff.
        """
        if len(scores) <= k:
            return np.arange(len(scores))
        error = (len(vector) + 2) * _UNIT_ROUNDOFF
        if self._store.schema.metric == "cosine":
            error *= 3  # three such sums: of the product and of both lengths
        else:
            error *= self._longest * (self._longest + 2 * float(np.linalg.norm(vector)))
        error /= 1 - (len(vector) + 2) * _UNIT_ROUNDOFF
        worst = np.partition(scores, len(scores) - k)[len(scores) - k]
        return np.flatnonzero(scores >= worst - 2 * error)

    def _ordered(self, vector: Vectors, rows: npt.NDArray[np.intp], k: int) -> Hits:
        vectors, query = self._vectors.view[rows].astype(np.float64), vector.astype(np.float64)
        metric = self._store.schema.metric
        if metric == "ip":
            distances = -(vectors @ query)
        elif metric == "l2":
            distances = np.square(vectors - query).sum(axis=1)
        else:
            # |x/|x| - q/|q||^2 / 2 is 1 - cos, without its cancellation; 1 where a length is 0.
            lengths, length = np.linalg.norm(vectors, axis=1), float(np.linalg.norm(query))
            apart = vectors / np.where(lengths > 0, lengths, 1)[:, None] - query / (length or 1)
            distances = np.where((lengths > 0) & (length > 0), np.square(apart).sum(axis=1) / 2, 1.0)
        best = np.argsort(distances, kind="stable")[:k]
        near = distances[best]
        return Hits(
            self._store.ids[rows[best]], near if metric == "l2" else -near if metric == "ip" else 1 - near
        )

    def get(self, ids: Ids) -> Batch:
        rows = self._store.rows_of(ids)
        columns = {name: column[rows] for name, column in self._store.columns.items()}
        return Batch(self._store.ids[rows], self._vectors.view[rows], columns)

    def delete(self, ids: Ids) -> None:
        self._store.delete(ids)

    def count(self) -> int:
        return self._store.count

    def stats(self) -> EngineStats:
        return EngineStats(self.count(), details={"rows": len(self._store)})

    def close(self) -> None:
        self.create(Schema(0, "l2"))
