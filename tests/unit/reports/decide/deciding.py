"""Runs altered cell by cell, and the outcome for one engine."""

from collections.abc import Callable
from functools import partial
from typing import Any

from harness.results.result import Measurement, RunResult
from reports.decide.checks.requirements import Check
from reports.decide.decision import Decision, Standing
from tests.unit.example_results import ENGINES, edit

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
