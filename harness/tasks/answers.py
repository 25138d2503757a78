"""The answers task: every query once, one after another, untimed; what comes back is kept."""

from __future__ import annotations

from time import perf_counter_ns

from harness.errors import MeasurementError
from harness.results.result import Measurement
from harness.results.samples import ERROR, error_summary
from harness.scenario.cells import PlannedCell
from harness.scenario.parameters import search_params
from harness.scenario.plan import blank
from harness.scenario.tasks import AnswersTask
from harness.tasks.bench import Bench, Span
from harness.tasks.untimed import Untimed


def measure_answers(bench: Bench, task: AnswersTask, cell: PlannedCell) -> tuple[Measurement, Span]:
    """Asks all queries of a workload; none has another role here, for nothing is timed.

    Queries that fail have empty answers and are counted. Raises MeasurementError where all fail, or where `hits` is of
    other data.
    """
    workload = bench.corpus.workloads[cell.filter]
    count = len(workload.queries)
    hits = task.hits or (workload.k,) * count
    if len(hits) != count:
        raise MeasurementError(
            f"task {task.name}: hits must have a number for each of the {count:,} queries, has {len(hits):,}"
        )
    bench.engine.configure(search_params(type(bench.engine), cell.search or {}, bench.session.label))
    asked, start_ns = Untimed(bench.engine, workload), perf_counter_ns()
    for number, wanted in enumerate(hits):
        asked.ask(number, hits=min(wanted, workload.k))
    done_ns = perf_counter_ns()
    samples = asked.samples()
    told = error_summary(samples.errors)
    if (samples.status == ERROR).all():
        raise MeasurementError(f"every query failed: {told}")
    measurement = blank(bench.session, cell).model_copy(
        update={
            "metrics": {"queries": float(count), "errors": float(sum(samples.errors.values()))},
            "reasons": {"errors": told} if told else {},
            "samples": bench.keep(cell, samples),
        }
    )
    return measurement, (start_ns, done_ns)
