"""The search task: one window under load for each filter, search parameter and rate."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from harness.errors import MeasurementError
from harness.load.clients import wait_for_left_behind
from harness.load.repeats import gain_within
from harness.load.warmup import Warm
from harness.machine.usage import Cpu, MemoryGrowth
from harness.results.result import Measurement
from harness.results.samples import ERROR, OK, Samples, error_summary
from harness.results.summary import summarize
from harness.scenario.cells import PlannedCell
from harness.scenario.parameters import search_params
from harness.scenario.plan import blank
from harness.scenario.tasks import SearchTask
from harness.tasks.bench import Bench, Span
from harness.tasks.search.client_limits import client_flags, client_share, count_processes, repeat_flags
from harness.tasks.search.driving import Window, check_supported, offered_rate

_ENDED_CLIENTS = "each client process has an engine of its own, which ends with the window"


def measure_search(bench: Bench, task: SearchTask, cell: PlannedCell) -> tuple[Measurement, Span]:
    """Warms up, measures one window, then judges its answers; the samples are kept in a file of their own."""
    check_supported(bench, task, task.processes if task.processes != "auto" else 1)
    _wait_for_earlier_requests(task)
    bench.engine.configure(search_params(type(bench.engine), cell.search or {}, bench.session.label))
    memory = MemoryGrowth(bench.meter)  # before warming up: it releases memory that is kept for reuse
    processes = 1 if task.processes == "auto" else task.processes
    window = Window(bench, task, cell, processes, offered_rate(bench, cell))
    warm = window.warm_up() if task.warmup_s else None
    if task.processes == "auto":
        window = replace(window, processes=count_processes(bench, window))
    cpu = Cpu(bench.meter)
    samples, offered_s = window.measure(task.duration_s, cpu.restart)
    used, missing = cpu.figures()
    apart = not bench.meter.separate and window.processes > 1
    grown, why = memory.figures(samples.nbytes, _ENDED_CLIENTS if apart else None)
    _check_answered(samples, task)
    metrics, reasons = summarize(
        samples, bench.judge(cell.filter, "measuring", samples), k=bench.scenario.k, offered_s=offered_s
    )
    metrics |= _warming(warm) | _client(window, used) | _per_query(used, samples) | grown
    reasons |= (
        missing
        | why
        | {
            name: missing.get(name.removesuffix("_per_1000"), "no query succeeded")
            for name, value in metrics.items()
            if name.endswith("_per_1000") and value is None
        }
    )
    errors = (warm.errors if warm else Counter()) + Counter(samples.errors)
    metrics["errors"] = float(errors.total())
    if told := error_summary(errors):
        reasons["errors"] = told
    measurement = blank(bench.session, cell).model_copy(
        update={
            "metrics": metrics,
            "reasons": reasons,
            "flags": client_flags(metrics, spinning=window.spinning)
            + _repeat_flags(bench, cell, samples, metrics),
            # In the file queries have their numbers in the dataset.
            "samples": bench.keep(cell, replace(samples, query=bench.roles.measuring[samples.query])),
        }
    )
    return measurement, (int(samples.scheduled_ns.min()), int(samples.done_ns.max()))


def _repeat_flags(
    bench: Bench, cell: PlannedCell, samples: Samples, metrics: dict[str, float | None]
) -> list[str]:
    known = [gain for gain in (bench.repeat_gain, gain_within(samples)) if gain is not None]
    bench.repeat_gain = max(known, default=None)
    flags = repeat_flags(metrics, bench.repeat_gain, asked_before=cell.filter in bench.asked)
    bench.asked.add(cell.filter)
    return flags


def _wait_for_earlier_requests(task: SearchTask) -> None:
    """Waits for requests that an earlier window gave up on: in the engine they would slow this window."""
    if left := wait_for_left_behind(task.timeout_s):
        raise MeasurementError(
            f"{left} requests that an earlier window gave up on are still in the engine after {task.timeout_s:g} s more"
        )


def _check_answered(samples: Samples, task: SearchTask) -> None:
    if not len(samples):
        raise MeasurementError(f"no query was due within {task.duration_s:g} s; raise rate or duration_s")
    if (samples.status == ERROR).all():
        raise MeasurementError(f"every query failed: {error_summary(samples.errors)}")


def _warming(warm: Warm | None) -> dict[str, float | None]:
    return {} if warm is None else {"warmup_s": warm.seconds, "steady": float(warm.steady)}


def _client(window: Window, used: dict[str, float | None]) -> dict[str, float | None]:
    """How busy a server's clients were; empty for an engine in the client's process."""
    share = client_share(used, window.processes, window.task.duration_s)
    if share is None:
        return {}
    return {"client_cpu_share": share, "client_processes": float(window.processes)}


def _per_query(used: dict[str, float | None], samples: Samples) -> dict[str, float | None]:
    succeeded = int((samples.status == OK).sum())
    return used | {
        f"{name}_per_1000": seconds / succeeded * 1000 if succeeded and seconds is not None else None
        for name, seconds in used.items()
    }
