"""Cells that differ only in the trial, as rows of the run's frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.results.frame import cells_frame
from harness.results.result import Measurement
from reports.wording import load_text

NOT_RECORDED = "not recorded"  # a metric that the result lacks, for instance one of an earlier version


class CellColumns:
    """The frame of a run's cells, and its columns as lists: what reads single rows reads them many times faster there.

    frame: `cells_frame`. trials, errors, flags: its columns, a cell each. reasons: why a cell lacks metrics.
    """

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        self.frame = cells_frame(measurements)
        self.trials: list[int] = self.frame["trial"].tolist()
        errors = self.frame["error"].astype(object)
        self.errors: list[str | None] = errors.where(errors.notna(), None).tolist()
        self.flags: list[tuple[str, ...]] = self.frame["flags"].tolist()
        self.reasons: list[Mapping[str, str]] = [cell.reasons for cell in measurements]
        self._figures: dict[str, list[float]] = {}

    def figures(self, metric: str) -> list[float]:
        """A metric of every cell; NaN where it is missing or the cell failed."""
        if metric not in self._figures:
            if metric in self.frame:
                column = self.frame[metric].where(self.frame["error"].isna()).tolist()
            else:
                column = [math.nan] * len(self.frame)
            self._figures[metric] = column
        return self._figures[metric]


@dataclass(frozen=True, slots=True)
class TrialGroup:
    """Cells that differ only in the trial: `rows` of the columns, ordered by it. rate: offered, queries/s; share:
    offered, of what the engine answered in a closed loop.
    """

    task: str
    kind: str
    filter: str
    executor: str | None
    rate: float | None
    share: float | None
    columns: CellColumns
    rows: tuple[int, ...]

    def values(self, metric: str) -> dict[int, float]:
        """The metric by trial, where it was measured."""
        figures, trials = self.columns.figures(metric), self.columns.trials
        return {trials[row]: figures[row] for row in self.rows if not math.isnan(figures[row])}

    def gap(self, metric: str) -> str | None:
        """Why the metric is missing in some trial, or None where every trial has it."""
        figures, columns = self.columns.figures(metric), self.columns
        for row in self.rows:
            if (error := columns.errors[row]) is not None:
                return f"trial {columns.trials[row] + 1}: {error}"
            if math.isnan(figures[row]):
                return columns.reasons[row].get(metric, NOT_RECORDED)
        return None

    @property
    def errors(self) -> list[str | None]:
        """Why each cell failed as a whole, None where it did not."""
        return [self.columns.errors[row] for row in self.rows]

    @property
    def reasons(self) -> list[Mapping[str, str]]:
        """Why each cell lacks metrics."""
        return [self.columns.reasons[row] for row in self.rows]

    @property
    def flags(self) -> list[tuple[str, ...]]:
        """The flags of each cell."""
        return [self.columns.flags[row] for row in self.rows]

    @property
    def place(self) -> str:
        """Where it was measured, as text: `filter brand at 200/s`."""
        parts = [f"filter {self.filter}"] if self.kind == "search" else [f"task {self.task}"]
        return " ".join(parts + ([f"at {self.load}"] if self.load else []))

    @property
    def load(self) -> str:
        """What was offered, as text; empty in a closed loop."""
        return load_text({"rate": self.rate, "share": self.share})


def flag_kind(flag: str) -> str:
    """What a flag says without its figure: `steal` of `steal 7.1 %`."""
    return flag.split(" ", maxsplit=1)[0].rstrip(":")
