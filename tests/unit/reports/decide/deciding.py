"""Runs altered cell by cell, and the outcome for one engine."""

from collections.abc import Callable
from typing import Any

from harness.results.result import Measurement, RunResult
from reports.decide.decision import Decision, Standing
from tests.unit.example_results import edit


def change(result: RunResult, alter: Callable[[Measurement], Measurement], **where: Any) -> RunResult:
    """The result with `alter` applied to the cells whose attributes are as given."""
    return edit(
        result,
        lambda cell: (
            alter(cell) if all(getattr(cell, name) == value for name, value in where.items()) else cell
        ),
    )


def standing(decision: Decision, engine: str) -> Standing:
    return next(entry for entry in decision.standings if entry.engine == engine)
