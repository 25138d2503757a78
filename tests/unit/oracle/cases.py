"""A dataset with its workload and truth, and answers to judge by it."""

import numpy as np

from engines.columns import Keywords
from harness.data.queries.workload import Workload
from harness.oracle.exact import exact_neighbours
from harness.oracle.scoring import judge_hits
from harness.results.samples import Samples

METRICS = ["l2", "ip", "cosine"]


def window(query, ids, *, lengths=None, status=None, scores=None):
    """Samples of answers `ids` (one row a request) to the queries numbered `query`."""
    ids = np.asarray(ids, dtype=np.int64)
    zero = np.zeros(len(ids), dtype=np.int64)
    return Samples(
        zero, zero, zero, np.asarray(query, dtype=np.int64), zero,
        zero if status is None else np.asarray(status, dtype=np.int64),
        ids, (ids >= 0).sum(axis=1) if lengths is None else np.asarray(lengths), scores=scores,
    )  # fmt: skip


class Case:
    """A dataset with its workload and truth."""

    def __init__(
        self,
        *,
        metric="l2",
        rows=400,
        dim=12,
        queries=20,
        k=10,
        seed=0,
        filters=None,
        vectors=None,
        alive=None,
    ):
        rng = np.random.default_rng(seed)
        self.vectors = rng.standard_normal((rows, dim)).astype(np.float32) if vectors is None else vectors
        self.columns = {
            "brand": Keywords.encode([f"b{v}" for v in rng.integers(0, 8, rows)]),
            "price": rng.uniform(0, 1, rows),
        }
        self.metric, self.alive = metric, alive
        picked = self.vectors[rng.integers(0, len(self.vectors), queries)]
        asked = (picked + np.float32(0.1) * rng.standard_normal(picked.shape)).astype(np.float32)
        self.workload = Workload("test", asked, tuple(filters or [None] * queries), k)
        self.truth = exact_neighbours(
            self.vectors, asked, k, metric, self.workload.filters, self.columns, self.alive
        )

    def judge(self, query, ids, *, forgive_float32=False, **kwargs):
        return judge_hits(
            window(query, ids, **kwargs), self.workload, self.truth, vectors=self.vectors, columns=self.columns,
            metric=self.metric, alive=self.alive, forgive_float32=forgive_float32,
        )  # fmt: skip
