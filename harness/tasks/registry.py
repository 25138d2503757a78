"""The kinds of tasks, each with what measures its cells. Their keys and cells: `harness.scenario.tasks`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.results.result import Measurement
from harness.tasks.answers import measure_answers
from harness.tasks.bench import Bench, Span
from harness.tasks.durability.durability import measure_durability
from harness.tasks.index import measure_index
from harness.tasks.search.search import measure_search
from harness.tasks.updates.updates import measure_updates

# (bench, the task's spec, a cell) -> the measured cell, and the window whose noise counts.
TASKS: dict[str, Callable[[Bench, Any, Any], tuple[Measurement, Span]]] = {
    "index": measure_index,
    "search": measure_search,
    "answers": measure_answers,
    "updates": measure_updates,
    "durability": measure_durability,
}
