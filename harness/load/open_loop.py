"""Open loop: requests are due by a schedule, whatever the engine does."""

from __future__ import annotations

from time import perf_counter_ns

import numpy as np

from engines.base import Engine
from harness.data.workload import Workload
from harness.load.clients import Gate, quiet_interpreter
from harness.load.replay import Replay
from harness.load.replay_pipelined import PipelinedReplay
from harness.load.replay_threads import ThreadedReplay
from harness.results.samples import Int64, Samples


def open_loop(
    engine: Engine,
    workload: Workload,
    schedule_ns: Int64,
    *,
    clients: int,
    timeout_s: float = 10.0,
    drain_s: float = 10.0,
    warmup_s: float = 0.0,
    seed: int = 0,
    first_client: int = 0,
    gate: Gate = perf_counter_ns,
) -> Samples:
    """Sends one request for each offset of `schedule_ns` (int64[n], ascending) and returns n samples.

    `clients` threads bound how many requests are in the engine at once. Latency counts from the scheduled
    time, also of a request that had to wait for a client, and the schedule never shifts. What has not been
    sent `drain_s` after the last request was due becomes a TIMEOUT sample with sent = done = that moment;
    what is still in the engine `timeout_s` later one with done = that moment: lower bounds both. One whose
    latency exceeds `timeout_s` is TIMEOUT too and keeps its time. Exceptions become samples with status
    ERROR.

    The warm-up plays the first `warmup_s` of the schedule before the schedule proper, without a pause
    between, and is not returned.
    Clients are numbered from `first_client`. `gate` is called once they are ready and says when to start.
    """
    warm_ns = schedule_ns[schedule_ns < warmup_s * 1e9]
    offsets_ns = np.concatenate([warm_ns, schedule_ns + int(warmup_s * 1e9)])
    kind = PipelinedReplay if engine.capabilities.pipelined else ThreadedReplay
    replay: Replay = kind(
        engine, workload, offsets_ns, int(drain_s * 1e9), np.random.default_rng([seed, first_client])
    )
    with quiet_interpreter():
        replay.run(clients, gate, int(timeout_s * 1e9))
    return replay.samples(len(warm_ns), first_client, int(timeout_s * 1e9))
