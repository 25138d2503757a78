"""How a run keeps to `budget_s`: by fewer trials down to two, then by shorter windows, alike for all engines; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.results.result import Measurement
from harness.scenario.specs import Scenario

ENOUGH = 2  # the fewest trials that show how much figures vary
LEAST = 0.1  # of their length; with shorter windows a trial is left out
WINDOWS_SHARE = 0.8  # of the budget for windows, as long as it is not known how long the rest takes
_SCALED = ("duration_s", "warmup_s", "warmup_max_s")
_LENGTHS = ("duration_s", "longest_warmup_s")


@dataclass(frozen=True, slots=True)
class Budget:
    """limit_s: for the whole run. windows_s: of one trial, with windows of full length. trials: asked for."""

    limit_s: float
    windows_s: float
    trials: int

    def first(self) -> float:
        """The share (0-1] to which the windows of the first trial are shortened, so that two trials can fit."""
        needed_s = min(self.trials, ENOUGH) * self.windows_s
        return _bounded(WINDOWS_SHARE * self.limit_s / needed_s) if needed_s else 1.0

    def next(self, done: int, spent_s: float, longest_s: float, share: float) -> float | None:
        """The share of the trial after `done` ones, or None where it does not fit any more.

        spent_s: of the budget. longest_s: the longest trial so far. share: of the trials so far; it is kept while
        trials fit, so that they are alike, and lowered where there would be only one.
        """
        left_s = self.limit_s - spent_s
        if longest_s <= left_s:
            return share
        if done >= ENOUGH or not self.windows_s:
            return None
        # Windows may have taken less than planned: warming up ends when the throughput is steady.
        taken_s = min(longest_s, share * self.windows_s)
        others_s = longest_s - taken_s  # building indexes, starting servers
        shorter = share * (left_s - others_s) / taken_s
        return shorter if shorter >= LEAST else None


def _bounded(share: float) -> float:
    return max(LEAST, min(1.0, share))


def window_lengths_s(scenario: Scenario) -> dict[str, float]:
    """How long the window of a cell of each task lasts, the longest warm-up included."""
    return {task.name: sum(float(getattr(task, key, 0.0)) for key in _LENGTHS) for task in scenario.tasks}


def windows_s(scenario: Scenario, cells: Iterable[Measurement]) -> float:
    """How long the windows of these planned cells last."""
    lengths = window_lengths_s(scenario)
    return sum(lengths[cell.task] for cell in cells)


def shortened(scenario: Scenario, share: float) -> Scenario:
    """The scenario with windows of that share (0-1] of their length."""
    if share >= 1.0:
        return scenario
    tasks = [
        task.model_copy(
            update={key: length * share for key in _SCALED if (length := getattr(task, key, None))}
        )
        for task in scenario.tasks
    ]
    return scenario.model_copy(update={"tasks": tasks})
