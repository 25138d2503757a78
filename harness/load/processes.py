"""Client processes: one load spread over several interpreters, each with an engine of its own.

Nothing passes between processes while they measure: they start at an agreed moment of the common clock and
hand over their samples afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from time import perf_counter_ns, sleep
from typing import Any, NamedTuple, Protocol

from engines.base import Engine
from harness.children.start import Child, ending, start
from harness.data.queries.workload import Workload
from harness.errors import MeasurementError
from harness.load.clients import StartSignal, describe
from harness.load.closed_loop import closed_loop
from harness.load.open_loop import open_loop
from harness.results.samples import Int64, Samples, concatenate

_LEAD_NS = 50_000_000  # from the last process being ready to the common start


class Plan(Protocol):
    """One process's share of the load; picklable. Calls `begin` once it is ready."""

    def __call__(self, engine: Engine, /, *, begin: StartSignal) -> Samples: ...


class _Client(NamedTuple):
    child: Child
    title: str


def split_closed_loop(
    workload: Workload, *, processes: int, clients: int, max_queries: int | None = None, **options: Any
) -> list[Plan]:
    """A closed loop of `clients` clients in all, dealt out to `processes` (at most as many as clients).

    options: further arguments of `closed_loop`, the same for each.
    """
    return [
        partial(
            closed_loop,
            workload=workload,
            clients=share,
            first_client=first,
            part=(number, processes),
            max_queries=None if max_queries is None else _part(max_queries, first, share, clients),
            **options,
        )
        for number, (first, share) in enumerate(_shares(clients, processes))
    ]


def split_open_loop(
    workload: Workload, schedule_ns: Int64, *, processes: int, clients: int, **options: Any
) -> list[Plan]:
    """A schedule dealt out to `processes` in turn, with `clients` clients in all.

    Together they replay exactly `schedule_ns`: each request is sent by one of them. options: further arguments
    of `open_loop`, the same for each.
    """
    return [
        partial(
            open_loop,
            workload=workload,
            schedule_ns=schedule_ns[number::processes],
            clients=share,
            first_client=first,
            part=(number, processes),
            **options,
        )
        for number, (first, share) in enumerate(_shares(clients, processes))
    ]


def _shares(clients: int, processes: int) -> list[tuple[int, int]]:
    """(number of its first client, clients) of each process."""
    if not 1 <= processes <= clients:
        raise ValueError(f"processes must be between 1 and clients ({clients}), got {processes}")
    bounds = [number * clients // processes for number in range(processes + 1)]
    return [(first, last - first) for first, last in pairwise(bounds)]


def _part(total: int, first: int, share: int, clients: int) -> int:
    """How much of `total`, spread evenly over `clients`, falls to `share` of them from `first`."""
    return total * (first + share) // clients - total * first // clients


def drive_processes(
    opener: Callable[[], Engine],
    plans: Sequence[Plan],
    *,
    warmup_s: float = 0.0,
    warm: Callable[[], None] = lambda: None,
) -> Samples:
    """Runs each plan in a process of its own, all at once, and returns the samples of all.

    opener: picklable; called in each process, returns an opened engine, which the process closes. Engines
    are open before the common start. warm: called `warmup_s` after it.
    Raises MeasurementError, with the cause, as soon as one process fails or dies; the others are then ended, as they
    are when the caller is interrupted.
    """
    clients: list[_Client] = []
    finished = False
    try:
        for number, plan in enumerate(plans, start=1):
            title = f"client process {number} of {len(plans)}"
            clients.append(_Client(start(f"bakeoff {title}", _run_plan, opener, plan), title))
        _receive(clients)
        start_ns = perf_counter_ns() + _LEAD_NS
        for client in clients:
            client.child.connection.send(start_ns)
        sleep(max(0.0, (start_ns - perf_counter_ns()) / 1e9 + warmup_s))
        warm()
        samples = concatenate([part for part in _receive(clients) if part is not None])
        finished = True
        return samples
    finally:
        for client in clients:
            client.child.end(graceful=finished)


def _receive(clients: Sequence[_Client]) -> list[Samples | None]:
    """The next message of each: None for ready, or its samples. Raises MeasurementError."""
    pending = {
        handle: client for client in clients for handle in (client.child.connection, client.child.ended)
    }
    received: list[Samples | None] = []
    while pending:
        client = pending[wait(list(pending))[0]]  # type: ignore[index]
        try:
            message = client.child.receive()
        except EOFError:
            raise MeasurementError(f"{client.title} died: {ending(client.child.exit_code())}") from None
        if isinstance(message, str):
            raise MeasurementError(f"{client.title} failed: {message}")
        received.append(message)
        del pending[client.child.connection], pending[client.child.ended]
    return received


def _run_plan(opener: Callable[[], Engine], plan: Plan, connection: Connection) -> None:
    """What a client process does: reports None when ready, then its samples, or the text of its failure."""

    def begin() -> int:
        connection.send(None)
        start_ns: int = connection.recv()
        return start_ns

    try:
        with closing(opener()) as engine:
            samples = plan(engine, begin=begin)
        connection.send(samples)
    except Exception as error:  # noqa: BLE001  the parent raises it
        connection.send(describe(error))
