"""Runs altered cell by cell, and the outcome for one engine."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from harness.results.result import Measurement, RunResult
from reports.decide.checks.requirements import Check
from reports.decide.decision import Decision, Standing
from tests.unit.example_results import ENGINES, build, edit, with_metrics

FIRST = "faiss-hnsw"  # the faster one of these, which is altered
TWO = {name: ENGINES[name] for name in (FIRST, "qdrant")}


def change(result: RunResult, alter: Callable[[Measurement], Measurement], **where: Any) -> RunResult:
    """The result with `alter` applied to the cells whose attributes are as given."""
    return edit(
        result,
        lambda cell: (
            alter(cell) if all(getattr(cell, name) == value for name, value in where.items()) else cell
        ),
    )


on = partial(change, engine=FIRST)


def setting(result: RunResult, alter: Callable[[Measurement], Measurement], ef: int, **at: Any) -> RunResult:
    """The same for the cells of FIRST at one setting."""
    return on(
        result, lambda cell: alter(cell) if cell.params.get("search") == {"efSearch": ef} else cell, **at
    )


def standing(decision: Decision, engine: str = FIRST) -> Standing:
    return next(entry for entry in decision.standings if entry.engine == engine)


def check(decision: Decision, metric: str, engine: str = FIRST) -> Check:
    return next(found for found in standing(decision, engine).checks if found.metric == metric)


# Queries/s without a filter and with a narrow one: each is the faster one with one of them.
GRAPH_AND_SCAN = {"graph": {"none": 4000.0, "1pct": 500.0}, "scan": {"none": 1000.0, "1pct": 2000.0}}


def by_filter(rates: Mapping[str, Mapping[str, float]], **decision: Any) -> RunResult:
    """A run of three trials of engines with these throughputs by filter, and a little noise; CPU time is their inverse.

    decision: keys of the scenario's decision.
    """
    names = list(next(iter(rates.values())))
    engines = {engine: (engine, {}, {}, 1000.0, 1.0) for engine in rates}
    shares = {name: {"none": 1.0, "10pct": 0.1}.get(name, 0.01) for name in names}
    result = build(engines=engines, filters=shares, arrivals=False, requirements=("recall >= 0.95",))

    def measured(cell: Measurement) -> Measurement:
        if cell.kind != "search":
            return cell
        rate = rates[cell.engine][cell.filter] * (1 + 0.002 * cell.trial)
        return with_metrics(cell, throughput_qps=rate, cpu_s_per_1000=1000 / rate)

    scenario = result.scenario | {"decision": result.scenario["decision"] | decision}
    return edit(result, measured).model_copy(update={"scenario": scenario})
