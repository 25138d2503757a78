"""Charts with a dot for each engine in each run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from harness.results.metrics import spec
from reports.charts.dots import EngineFigure, dot_chart
from reports.charts.drawn import MOST_ROWS
from reports.charts.lines import Chart
from reports.charts.plotting import Point
from reports.charts.style import EngineStyle
from reports.charts.svg import styled
from reports.comparison.figures import EngineFigures, Line
from reports.comparison.side_by_side import SideBySide

_ALIKE = 1.05  # factor below which figures are called the same


def run_charts(view: SideBySide, styles: Mapping[str, EngineStyle]) -> list[Chart]:
    """A chart a figure that is there to be compared; engines below one another, each run by run.

    styles: by letter of the run.
    """
    names = dict.fromkeys(line.name for figures in view.engines for line in figures.lines)
    with styled():
        return [chart for place, name in enumerate(names) if (chart := _chart(view, styles, place, name))]


def _chart(view: SideBySide, styles: Mapping[str, EngineStyle], place: int, name: str) -> Chart | None:
    """None where there are not two figures, and for recalls, which lie too close to 1 for dots."""
    found = [(figures, line) for figures in view.engines for line in figures.lines if line.name == name]
    line = found[0][1]
    count = sum(bool(entry.values) for _, each in found for entry in each.entries)
    if count < 2 or spec(line.metric).shown == "recall":
        return None
    rows = [row for figures, each in found[: _most(view)] for row in _rows(view, figures, each)]
    takeaway = f"{name}: {_takeaway(view, found)}"
    return dot_chart(f"compared-{place}", line.metric, rows, styles, takeaway=takeaway, label=line.heading)


def left_out(view: SideBySide) -> str:
    """A sentence on engines that are not drawn; empty where all are."""
    most = _most(view)
    return f"Drawn: the first {most} of {len(view.engines)} engines." if most < len(view.engines) else ""


def _most(view: SideBySide) -> int:
    return max(1, MOST_ROWS // len(view.runs))


def _rows(view: SideBySide, figures: EngineFigures, line: Line) -> list[EngineFigure]:
    return [
        EngineFigure(
            run.letter,
            f"{run.letter} {figures.engine}",
            Point.of(entry.values) if entry.values else None,
            None if entry.values else entry.told,
        )
        for run, entry in zip(view.runs, line.entries, strict=True)
        if figures.engine in run.shown
    ]


def _takeaway(view: SideBySide, found: Sequence[tuple[EngineFigures, Line]]) -> str:
    """The largest change of any engine, of those that can be compared."""
    changes = [
        (abs(math.log(entry.change.change)), f"{figures.engine} in {run.letter}, {entry.told}")
        for figures, line in found
        for run, entry in zip(view.runs, line.entries, strict=True)
        if entry.change is not None
    ]
    if not changes:
        return "not comparable"
    size, told = max(changes)
    return f"most changed: {told}" if size > math.log(_ALIKE) else "much the same"
