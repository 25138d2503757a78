"""One window of load on the engine of a session, from threads of this process or from client processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from engines.base import Engine, Schema, UnsupportedError
from engines.registry import load as load_engine
from harness.data.queries.workload import Workload
from harness.load.closed_loop import closed_loop
from harness.load.open_loop import open_loop
from harness.load.processes import drive_processes, split_closed_loop, split_open_loop
from harness.load.schedules import SCHEDULES, limited
from harness.load.warmup import Warm, warm_up
from harness.results.samples import Samples
from harness.scenario.cells import Params, PlannedCell
from harness.scenario.parameters import index_params, search_params
from harness.scenario.plan import Session
from harness.scenario.tasks import SearchTask
from harness.tasks.bench import Bench
from harness.tasks.operating_point import capacity

DRAIN_S = 1.0  # how long an open loop waits for answers after its last request was due
_SLICES = 5  # of the shortest warm-up: the slices whose throughputs are compared


@dataclass(frozen=True, slots=True)
class Window:
    """How a cell is measured: its task and cell, from how many client processes, and at which offered rate (None in a
    closed loop).
    """

    bench: Bench
    task: SearchTask
    cell: PlannedCell
    processes: int
    rate: float | None

    @property
    def spinning(self) -> bool:
        """Whether its requests are sent by a thread that spins until the next one is due."""
        return self.rate is not None and self.bench.engine.capabilities.pipelined

    def warm_up(self) -> Warm:
        """Asks queries of their own until the throughput is steady, in a closed loop whatever the window's load is.

        From this process alone: the engine has to get warm. Client processes warm themselves up in the window.
        """
        task, queries = self.task, self.bench.workload(self.cell.filter, "warming")
        shared = task.executor == "closed_loop" and self.bench.engine.capabilities.thread_safe

        def drive(seconds: float, number: int) -> Samples:
            return closed_loop(
                self.bench.engine,
                queries,
                clients=task.clients if shared else 1,
                duration_s=seconds,
                timeout_s=task.timeout_s,
                seed=number,
            )

        return warm_up(
            drive,
            least_s=task.warmup_s,
            most_s=max(task.warmup_s, task.longest_warmup_s),
            slice_s=task.warmup_s / _SLICES,
        )

    def measure(self, duration_s: float, warm: Callable[[], None]) -> tuple[Samples, float | None]:
        """The requests of a window, and over how many seconds they were offered (None in a closed loop).

        warm: called when client processes have warmed up, as nearly as their common clock allows; else at once.
        """
        seed = self.bench.scenario.seed + self.bench.session.trial
        workload = self.bench.workload(self.cell.filter, "measuring")
        load: dict[str, Any] = {"workload": workload, "timeout_s": self.task.timeout_s, "seed": seed}
        offered_s: float | None = None
        if self.rate is None:
            load |= {"duration_s": duration_s, "max_queries": self.task.max_queries}
        else:
            due_ns = SCHEDULES[self.task.arrivals](self.rate, duration_s, np.random.default_rng(seed))
            due_ns, offered_s = limited(due_ns, duration_s, self.task.max_queries)
            load |= {"schedule_ns": due_ns, "drain_s": DRAIN_S}
        samples = self._here(load, warm) if self.processes == 1 else self._in_processes(load, warm)
        return samples, offered_s

    def _here(self, load: dict[str, Any], warm: Callable[[], None]) -> Samples:
        warm()
        drive: Any = closed_loop if self.rate is None else open_loop
        samples: Samples = drive(self.bench.engine, clients=self.task.clients, **load)
        return samples

    def _in_processes(self, load: dict[str, Any], warm: Callable[[], None]) -> Samples:
        bench, task = self.bench, self.task
        split = split_closed_loop if self.rate is None else split_open_loop
        warming: Workload = bench.workload(self.cell.filter, "warming")
        plans = split(
            processes=self.processes,
            clients=max(task.clients, self.processes),
            warmup=warming,
            warmup_s=task.warmup_s,
            **load,
        )
        opener = partial(
            reopen, bench.session, self.cell.search or {}, bench.path, bench.corpus.dataset.schema
        )
        return drive_processes(opener, plans, warmup_s=task.warmup_s, warm=warm)


def offered_rate(bench: Bench, cell: PlannedCell) -> float | None:
    """Queries a second to be offered; None in a closed loop. Raises MeasurementError where it is a share of nothing."""
    share = cell.load.get("share")
    return cell.load.get("rate") if share is None else share * capacity(bench, cell)


def check_supported(bench: Bench, task: SearchTask, processes: int) -> None:
    """Raises UnsupportedError where the engine does not support the task's load."""
    can = bench.engine.capabilities
    if task.clients > 1 and processes == 1 and not can.thread_safe:
        raise UnsupportedError(
            "its queries may not run in several threads, so several clients cannot share it"
        )
    if processes > 1 and not can.multi_process:
        raise UnsupportedError("several client processes cannot share it: it lives inside one process")


def reopen(session: Session, search: Params, path: Path, schema: Schema) -> Engine:
    """The session's engine, opened once more by a client process."""
    kind = load_engine(session.adapter)
    engine = kind(path, index_params(kind, session.index, session.label))
    engine.open(schema)
    engine.configure(search_params(kind, search, session.label))
    return engine
