"""What closed and open loop share: the order of the queries, the log of a window, and a quiet interpreter."""

from __future__ import annotations

import ctypes
import gc
import select
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from time import perf_counter_ns, sleep
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.filters import Filter
from harness.data.workload import Workload
from harness.results.samples import ERROR, OK, TIMEOUT, Int64, Samples

# Called once every client is ready; returns when to start, on the perf_counter_ns clock.
Gate = Callable[[], int]
Request = tuple[int, npt.NDArray[np.float32], Filter | None]

NO_HITS: tuple[int, ...] = ()
_SPIN_NS = 100_000  # a sleep overshoots by less than this in most cases; the rest is waited out awake
_ERROR_LENGTH = 500
_PR_SET_TIMERSLACK = 29


def requests_in_order(workload: Workload, rng: np.random.Generator) -> list[Request]:
    """Every query once, in an order of the rng's: (index into the workload, float32[dim], filter).

    The vectors are read-only rows of a copy, so that an engine that writes into its argument fails
    instead of changing later queries.
    """
    queries = np.array(workload.queries, dtype=np.float32, order="C")
    queries.flags.writeable = False
    rows = list(queries)  # indexing the matrix under load would cost 0.1 us a query
    return [(int(i), rows[i], workload.filters[i]) for i in rng.permutation(len(rows))]


class Log:
    """The requests of one client, one entry of each list a request; converted only after the window."""

    __slots__ = ("done_ns", "failures", "ids", "query", "sent_ns")

    def __init__(self) -> None:
        self.query: list[int] = []
        self.sent_ns: list[int] = []
        self.done_ns: list[int] = []
        self.ids: list[Any] = []
        self.failures: dict[int, str] = {}  # position -> error text

    def samples(self, k: int, client: int, timeout_ns: int) -> Samples:
        """The log of a closed loop as columns: every request was due when it was sent."""
        sent_ns = np.array(self.sent_ns, dtype=np.int64)
        return to_samples(
            scheduled_ns=sent_ns,
            sent_ns=sent_ns,
            done_ns=np.array(self.done_ns, dtype=np.int64),
            query=np.array(self.query, dtype=np.int64),
            client=np.full(len(sent_ns), client, dtype=np.int64),
            answers=self.ids,
            failures=self.failures,
            k=k,
            timeout_ns=timeout_ns,
        )


def to_samples(
    *,
    scheduled_ns: Int64,
    sent_ns: Int64,
    done_ns: Int64,
    query: Int64,
    client: Int64,
    answers: Sequence[Any],
    failures: Mapping[int, str],
    k: int,
    timeout_ns: int,
) -> Samples:
    """Requests as Samples, n rows. answers: the ids of each; failures: row -> error text.

    A request whose latency exceeds `timeout_ns` is TIMEOUT, unless it failed: then it is ERROR.
    """
    ids, lengths, unreadable = hits_matrix(answers, k)
    failures = {**unreadable, **failures}
    status = np.where(done_ns - scheduled_ns > timeout_ns, TIMEOUT, OK).astype(np.int64)
    status[np.array(list(failures), dtype=np.int64)] = ERROR
    errors = dict(Counter(failures.values()))
    return Samples(scheduled_ns, sent_ns, done_ns, query, client, status, ids, lengths, errors)


def describe(error: BaseException) -> str:
    """An exception as one line of bounded length."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return " ".join(text.split())[:_ERROR_LENGTH]


def hits_matrix(answers: Sequence[Any], k: int) -> tuple[Int64, Int64, dict[int, str]]:
    """The ids of n answers as int64[n, k] padded with -1, their lengths int64[n], and the unreadable ones.

    An answer of more than k ids keeps its length but only its first k ids. One that holds anything but whole
    numbers is taken as empty, its position and the reason are returned.
    """
    try:
        return *_matrix(answers, k), {}
    except (TypeError, ValueError, OverflowError):
        checked: list[Any] = []
        broken = {}
        for position, answer in enumerate(answers):
            try:
                _matrix([answer], k)
                checked.append(answer)
            except (TypeError, ValueError, OverflowError) as error:
                checked.append(NO_HITS)
                broken[position] = f"unreadable hits: {describe(error)}"
        return *_matrix(checked, k), broken


def _matrix(answers: Sequence[Any], k: int) -> tuple[Int64, Int64]:
    lengths = np.fromiter(map(len, answers), dtype=np.int64, count=len(answers))
    if len(lengths) and lengths.max() > k:
        answers = [answer[:k] for answer in answers]
    kept = np.minimum(lengths, k)
    ids = np.full((len(answers), k), -1, dtype=np.int64)
    # array("q") takes whole numbers only, where numpy would cut off the fraction of a float in silence.
    flat = array("q", chain.from_iterable(answers))
    ids[np.arange(k) < kept[:, None]] = np.frombuffer(flat, dtype=np.int64)
    return ids, lengths


@contextmanager
def quiet_interpreter() -> Iterator[None]:
    """No garbage collection inside: a pass over a large heap would show up as the engine's latency."""
    was_enabled, was_frozen = gc.isenabled(), gc.get_freeze_count() > 0
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        if not was_frozen:
            gc.unfreeze()
        if was_enabled:
            gc.enable()


def sharpen_sleep() -> None:
    """Lets this thread's sleeps end within 1 ns of slack instead of Linux's 50 us; elsewhere does nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)


def wait_until(due_ns: int) -> None:
    """Returns at `due_ns` of perf_counter_ns: sleeps, then spins through the last microseconds."""
    left_ns = due_ns - perf_counter_ns()
    if left_ns > _SPIN_NS:
        sleep((left_ns - _SPIN_NS) / 1e9)
    while perf_counter_ns() < due_ns:
        # Lets other threads have the interpreter lock; unlike sleep(0) it never gives up the processor.
        select.select((), (), (), 0)
