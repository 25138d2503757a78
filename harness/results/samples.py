"""Samples: one row a request, in columns, from the load loop to the sample file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.errors import ConfigurationError

OK, ERROR, TIMEOUT = 0, 1, 2

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_COLUMNS = ("scheduled_ns", "sent_ns", "done_ns", "query", "client", "status", "lengths")
_OPTIONAL = ("kind", "free_ns")


@dataclass(frozen=True, slots=True)
class Samples:
    """n requests of one measured window; no request that was due is missing.

    scheduled_ns, sent_ns, done_ns: int64[n] on the `perf_counter_ns` clock (one clock for all processes of
    a machine). latency = done - scheduled, service time = done - sent. A request is done when its ids and scores have
    been read. One given up on has status TIMEOUT and done_ns = when it was given up: a lower bound.
    query: int64[n], index into the workload (of a write: its own number). client: int64[n]. status: int64[n].
    lengths: int64[n], hits returned.
    ids: int64[m, k], padded with -1 where fewer than k hits came back, of the m requests in `rows`.
    errors: the distinct error texts with their counts; the first is that of the earliest request that failed.
    kind: int64[n], `harness.load.operations.Kind` of each; None: all are queries.
    free_ns: int64[n], since when a client was free to send it; None: not known. Where that is later than
    scheduled_ns, all clients were in the engine when it fell due.
    rows: int64[m] ascending, the requests whose answers were kept, a uniform sample; None: of all, m = n.
    scores: float64[m, k], NaN where an answer brought none, or not as many as ids; None: not kept.
    share: with which probability each answer was kept.
    window_ns: from when to when requests were sent by all clients; None: not known.
    abandoned: requests still in the engine when the load was over. rechecked: answers that were looked at again after
    later requests. changed: those of them that had changed after they were returned.
    """

    scheduled_ns: Int64
    sent_ns: Int64
    done_ns: Int64
    query: Int64
    client: Int64
    status: Int64
    ids: Int64
    lengths: Int64
    errors: dict[str, int] = field(default_factory=dict)
    kind: Int64 | None = None
    free_ns: Int64 | None = None
    rows: Int64 | None = None
    scores: Float64 | None = None
    share: float = 1.0
    window_ns: tuple[int, int] | None = None
    abandoned: int = 0
    rechecked: int = 0
    changed: int = 0

    def __len__(self) -> int:
        return len(self.done_ns)

    @property
    def nbytes(self) -> int:
        """The memory of the columns."""
        columns = (getattr(self, each.name) for each in fields(self))
        return sum(column.nbytes for column in columns if isinstance(column, np.ndarray))

    @property
    def latency_ns(self) -> Int64:
        return self.done_ns - self.scheduled_ns

    @property
    def service_time_ns(self) -> Int64:
        return self.done_ns - self.sent_ns

    @property
    def lateness_ns(self) -> Int64:
        """How late each request was sent although a client was free: our own fault, never the engine's."""
        due_ns = self.scheduled_ns if self.free_ns is None else np.maximum(self.scheduled_ns, self.free_ns)
        return self.sent_ns - due_ns

    @property
    def kept_rows(self) -> Int64:
        """int64[m], the requests whose answers are in `ids`, ascending."""
        return np.arange(len(self), dtype=np.int64) if self.rows is None else self.rows

    def select(self, chosen: npt.NDArray[np.bool_]) -> Samples:
        """The requests where `chosen` (bool[n]) is true, for instance those of one kind."""
        rows = self.kept_rows
        kept = chosen[rows]
        columns = {name: getattr(self, name)[chosen] for name in _COLUMNS}
        columns |= {name: values[chosen] for name in _OPTIONAL if (values := getattr(self, name)) is not None}
        return replace(
            self,
            **columns,
            ids=self.ids[kept],
            scores=None if self.scores is None else self.scores[kept],
            rows=(np.cumsum(chosen) - 1)[rows[kept]],
        )

    def thinned(self, share: float, rng: np.random.Generator) -> Samples:
        """The same requests, of whose answers each is kept with probability `share`, at most that of now."""
        if share >= self.share:
            return self
        kept = rng.random(len(self.ids)) < share / self.share
        scores = None if self.scores is None else self.scores[kept]
        return replace(self, ids=self.ids[kept], scores=scores, rows=self.kept_rows[kept], share=share)


def concatenate(parts: list[Samples]) -> Samples:
    """All samples of several clients, ordered by the scheduled time.

    Answers of every client count alike: where one kept a smaller share of its answers, others are thinned to it.
    """
    errors: dict[str, int] = {}
    for part in sorted(parts, key=_first_failure_ns):
        for text, count in part.errors.items():
            errors[text] = errors.get(text, 0) + count
    share = min(part.share for part in parts)
    rng = np.random.default_rng(len(parts))
    parts = [part.thinned(share, rng) for part in parts]
    order = np.argsort(np.concatenate([part.scheduled_ns for part in parts]), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    starts = np.cumsum([0, *(len(part) for part in parts)])
    rows = np.concatenate([part.kept_rows + start for part, start in zip(parts, starts, strict=False)])
    kept = np.argsort(place[rows])
    scores = [part.scores for part in parts if part.scores is not None]
    windows = [part.window_ns for part in parts if part.window_ns is not None]
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])[order]
        for name in (*_COLUMNS, *_OPTIONAL)
        if all(getattr(part, name) is not None for part in parts)
    }
    return Samples(
        **columns,
        ids=np.concatenate([part.ids for part in parts])[kept],
        scores=np.concatenate(scores)[kept] if len(scores) == len(parts) else None,
        rows=place[rows][kept],
        share=share,
        errors=errors,
        window_ns=(min(s for s, _ in windows), min(e for _, e in windows)) if windows else None,
        abandoned=sum(part.abandoned for part in parts),
        rechecked=sum(part.rechecked for part in parts),
        changed=sum(part.changed for part in parts),
    )


def _first_failure_ns(part: Samples) -> int:
    return int(part.done_ns[part.status == ERROR].min(initial=np.iinfo(np.int64).max))


def error_summary(errors: Mapping[str, int]) -> str | None:
    """What failed, in one line: the first error and the most frequent one. None where nothing failed.

    errors: texts of failed requests in the order they came first, and how often each.
    """
    if not errors:
        return None
    total = sum(errors.values())
    first = next(iter(errors))
    usual = max(errors, key=errors.__getitem__)
    if len(errors) == 1:
        return f"{first} ({total:,} times)"
    often = f"({errors[usual]:,} of {total:,} times)"
    if usual == first:
        return f"first and most frequent: {first} {often}"
    return f"first: {first}; most frequent: {usual} {often}"


def read_answers(path: Path) -> tuple[Int64, Int64]:
    """The kept answers of a file of `write_samples`: int64[m, k], ids padded with -1, and int64[m], the query of each.

    Raises ConfigurationError where the file is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        held = pq.read_table(path, columns=["query", "ids"])
        held = held.filter(held.column("ids").is_valid())
        ids = held.column("ids").combine_chunks().flatten().to_numpy()
        queries = held.column("query").to_numpy()
        return ids.reshape(len(queries), -1), queries
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise ConfigurationError(f"{path}: is missing or damaged ({error}); measure it again") from error


def write_samples(path: Path, samples: Samples) -> None:
    """Writes one Parquet file of n rows, the hits of those whose answers were kept included. Raises OSError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n, k = len(samples), samples.ids.shape[1]
    kept = np.zeros(n, dtype=np.bool_)
    kept[samples.kept_rows] = True
    ends = np.concatenate([[0], np.cumsum(kept) * k]).astype(np.int32)
    columns = {name: getattr(samples, name) for name in (*_COLUMNS, *_OPTIONAL)}
    columns = {name: _column(values) for name, values in columns.items() if values is not None}
    hits = {"ids": samples.ids} | ({} if samples.scores is None else {"scores": samples.scores})
    for name, values in hits.items():
        inner = _column(values.reshape(-1))
        columns[name] = pa.Array.from_buffers(
            pa.list_(inner.type), n, [_buffer(kept), _buffer(ends)], children=[inner]
        )
    pq.write_table(pa.table(columns), path, compression="zstd")


def _column(values: npt.NDArray[Any]) -> Any:
    """The pyarrow.Array of numbers or truth values, of their bytes: pyarrow.array() would import pandas first, for
    which every process of a run would pay.
    """
    import pyarrow as pa

    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, _buffer(values)])


def _buffer(values: npt.NDArray[Any]) -> Any:
    """The bytes of a column in Arrow's layout, where truth values are bits."""
    import pyarrow as pa

    bits = values.dtype == np.bool_
    return pa.py_buffer(np.packbits(values, bitorder="little") if bits else np.ascontiguousarray(values))
