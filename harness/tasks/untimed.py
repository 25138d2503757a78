"""Queries that are asked for their answers, without timing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter_ns

import numpy as np

from engines.base import Engine
from harness.data.queries.workload import Workload
from harness.load.answers import RawColumn, answer_block, read_column
from harness.load.clients import describe
from harness.results.samples import ERROR, OK, Samples


@dataclass(slots=True)
class Untimed:
    """The answers of an engine to queries of a workload, in the form that the judge reads."""

    engine: Engine
    workload: Workload
    _numbers: list[int] = field(default_factory=list)
    _ids: list[RawColumn] = field(default_factory=list)
    _scores: list[RawColumn] = field(default_factory=list)
    _failures: dict[int, str] = field(default_factory=dict)

    def ask(self, number: int, *, hits: int | None = None, exact: bool = False) -> None:
        """Asks one query for so many hits, the workload's k where it is None. What the engine raises is kept as a
        failed request.
        """
        workload = self.workload
        self._numbers.append(number)
        vector = workload.queries[number].copy()  # an engine may write into it
        try:
            wanted = workload.k if hits is None else hits
            found = self.engine.query(vector, wanted, workload.filters[number], exact=exact)
            ids, scores = read_column(found.ids), read_column(found.scores)
        except Exception as error:  # noqa: BLE001  whatever a client library raises
            self._failures[len(self._ids)] = describe(error)
            ids, scores = [], []
        self._ids.append(ids)
        self._scores.append(scores)

    def ask_within(self, limit_s: float, *, exact: bool = False) -> None:
        """Asks queries in their order, at least one, until all are asked or the time is up."""
        start_ns = perf_counter_ns()
        for number in range(len(self.workload.queries)):
            if number and perf_counter_ns() - start_ns > limit_s * 1e9:
                break
            self.ask(number, exact=exact)

    def samples(self) -> Samples:
        """One row a query asked, without times."""
        read = answer_block(self._ids, self._scores, self.workload.k)
        failures = self._failures | {
            place: f"unreadable hits: {reason}" for place, reason in read.unreadable.items()
        }
        count = len(self._numbers)
        status = np.full(count, OK, dtype=np.int64)
        status[list(failures)] = ERROR
        zero = np.zeros(count, dtype=np.int64)
        return Samples(
            zero,
            zero,
            zero,
            np.array(self._numbers, dtype=np.int64),
            zero,
            status,
            read.ids,
            read.lengths,
            errors=dict(Counter(failures[place] for place in sorted(failures))),
            scores=read.scores,
        )
