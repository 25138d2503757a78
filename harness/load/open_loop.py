"""Open loop: requests are due by a schedule, whatever the engine does."""

from __future__ import annotations

from time import perf_counter_ns

import numpy as np

from engines.base import Engine
from harness.data.queries.workload import Workload
from harness.load.clients import StartSignal, quiet_interpreter
from harness.load.operations import Kind, Operations
from harness.load.replay.base import Replay
from harness.load.replay.pipelined import PipelinedReplay
from harness.load.replay.threads import ThreadedReplay
from harness.results.samples import Int64, Samples


def open_loop(
    engine: Engine,
    workload: Workload | Operations,
    schedule_ns: Int64,
    *,
    clients: int,
    timeout_s: float = 10.0,
    drain_s: float = 10.0,
    warmup: Workload | Operations | None = None,
    warmup_s: float = 0.0,
    seed: int = 0,
    first_client: int = 0,
    part: tuple[int, int] = (0, 1),
    begin: StartSignal = perf_counter_ns,
) -> Samples:
    """Sends one request for each offset of `schedule_ns` (int64[n], ascending) and returns n samples.

    `clients` threads bound how many requests are in the engine at once. Latency counts from the scheduled
    time, also of a request that had to wait for a client, and the schedule never shifts. What has not been
    sent `drain_s` after the last request was due becomes a TIMEOUT sample with sent = done = that moment;
    what is still in the engine `timeout_s` later one with done = that moment: lower bounds both. One whose
    latency exceeds `timeout_s` is TIMEOUT too and keeps its time. Exceptions become samples with status
    ERROR. Requests still in the engine at the end are counted as `abandoned`;
    `harness.load.clients.wait_for_left_behind` waits for their threads.

    The warm-up plays the first `warmup_s` of the schedule before the schedule proper, without a pause between, and is
    not returned. It asks `warmup`, queries of its own, or where there are none begins the first pass over `workload`.
    part: (number, of how many) client processes; with the same seed they divide the queries among themselves.
    Clients are numbered from `first_client`. `begin` is called once they are ready and says when to start.
    Raises UnsupportedError where the engine cannot do what is asked, ValueError for fewer operations in order than
    requests are due.
    """
    operations = Operations.of(workload)
    if operations.in_order and warmup_s and warmup is None:
        raise ValueError(
            "operations in a given order need a warm-up of their own: pass warmup=, or warmup_s=0"
        )
    warm_ns = schedule_ns[schedule_ns < warmup_s * 1e9]
    pipelined = engine.capabilities.pipelined and all(item.kind == Kind.QUERY for item in operations.items)
    kind: type[Replay] = PipelinedReplay if pipelined else ThreadedReplay
    replay = kind(
        engine,
        operations,
        None if warmup is None else Operations.of(warmup),
        np.concatenate([warm_ns, schedule_ns + int(warmup_s * 1e9)]),
        warm=len(warm_ns),
        seed=seed,
        part=part,
        drain_ns=int(drain_s * 1e9),
    )
    with quiet_interpreter():
        replay.run(clients, begin, int(timeout_s * 1e9))
    return replay.samples(first_client, int(timeout_s * 1e9))
