"""Dot plots: one figure an engine, on one line each, for what has no curve (indexing, memory, updates)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.results.metrics import spec
from harness.results.stats import harmonic_mean
from reports.charts.drawn import Drawn
from reports.charts.lines import Chart, together
from reports.charts.plotting import LONGEST_LABEL, Point, Scale, apply_scale, darker, label_margin
from reports.charts.style import GRID, INK, MUTED, EngineStyle
from reports.charts.svg import panel, to_svg
from reports.decide.cells import Cells, Configuration, Floats
from reports.decide.groups import TrialGroup
from reports.wording import listing, number, quantity, settings, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE = 25  # pixels between two engines


@dataclass(frozen=True, slots=True)
class EngineFigure:
    """One engine's figure, or why there is none: a row of a dot plot. out: it does not meet the requirements."""

    engine: str
    label: str
    point: Point | None
    reason: str | None
    out: bool = False


def build_rows(cells: Cells, kind: str, metric: str, shown: Drawn) -> list[EngineFigure]:
    """One row an index that was built, for metrics of the `index` and `updates` tasks."""
    indexes = {build: c for c in cells.candidates if (build := (c.engine, c.index_json)) in shown.rows}
    engines = [engine for engine, _ in indexes]
    rows = []
    for candidate in indexes.values():
        several = engines.count(candidate.engine) > 1
        label = f"{candidate.engine} {settings(candidate.index)}" if several else candidate.engine
        rows += [_row(candidate.engine, label, group, metric) for group in cells.build(candidate, kind)]
    return rows


def best_rows(
    cells: Cells, shown: Mapping[str, Configuration], metric: str, out: Collection[str] = ()
) -> list[EngineFigure]:
    """One row an engine at the setting that is shown for it: a search metric over the filters, trial by trial.

    out: engines that do not meet the requirements.
    """
    rows = []
    for engine, candidate in shown.items():
        groups = cells.objective(candidate)
        gap = next(
            (f"filter {g.filter}: {text}" for g in groups if (text := g.gap(metric)) is not None), None
        )
        shares = cells.weighing([group.filter for group in groups])
        values = over_filters(metric, [group.values(metric) for group in groups], shares)
        label = f"{engine} ✘" if engine in out else engine
        rows.append(EngineFigure(engine, label, Point.of(values) if values else None, gap, engine in out))
    return rows


def over_filters(
    metric: str, by_filter: Sequence[Mapping[int, float]], shares: Floats | None = None
) -> list[float]:
    """One figure for all filters (`MetricSpec.over_filters`), for each trial in which every filter has one.

    by_filter: values by trial, filter by filter. shares: of the mix, a filter each; equal by default.
    """
    trials = sorted(set.intersection(*(set(values) for values in by_filter))) if by_filter else []
    values = np.array([[own[trial] for trial in trials] for own in by_filter])
    weights = np.ones(len(values)) if shares is None else shares
    asked = weights > 0
    if not trials or not asked.any():
        return []
    if spec(metric).over_filters == "highest":
        return [float(value) for value in values.max(axis=0)]
    combine = harmonic_mean if spec(metric).over_filters == "mix" else np.average
    return [float(value) for value in combine(values[asked], axis=0, weights=weights[asked])]


def _row(engine: str, label: str, group: TrialGroup, metric: str) -> EngineFigure:
    values = list(group.values(metric).values())
    return EngineFigure(engine, label, Point.of(values) if values else None, group.gap(metric))


def dot_chart(
    name: str,
    metric: str,
    rows: Sequence[EngineFigure],
    styles: Mapping[str, EngineStyle],
    *,
    takeaway: str | None = None,
    label: str | None = None,
) -> Chart:
    """A panel with a line an engine: its name, a dot with whiskers over the trials, its value; gaps say why.

    takeaway: the line above it (None: which engine is best, and by how much). label: of the axis (None: the metric's).
    """
    term, takeaway = spec(metric), takeaway or _takeaway(metric, rows)
    shown = {row.label: number(row.point.mean * term.scale) for row in rows if row.point}
    left, right = label_margin((row.label for row in rows), LONGEST_LABEL + 2), label_margin(shown.values())
    figure, plot = panel(left=left, right=right, top=8, bottom=44, height=52 + _LINE * len(rows))
    points = [row.point for row in rows if row.point is not None]
    apply_scale(plot, Scale.fitting([b * term.scale for p in points for b in (p.low, p.high)]), "x")
    plot.set_xlabel(label or term.heading)
    plot.set_ylim(len(rows) - 0.4, -0.6)
    plot.set_yticks([])
    for place, row in enumerate(rows):
        width = plot.bbox.width
        across, colour = plot.get_yaxis_transform(), darker(styles[row.engine].colour)
        plot.text(-(left - 6) / width, place, _shortened(row), transform=across, color=colour, va="center")
        value = shown.get(row.label, "")
        plot.text(1 + (right - 4) / width, place, value, transform=across, color=INK, va="center", ha="right")
        _draw_dot(plot, place, term.scale, row, styles[row.engine])
    svg = to_svg(figure, name, f"{takeaway}. {term.label} of {len(rows)} engines.")
    return Chart(name, takeaway, svg, together((row.label, row.reason) for row in rows if row.reason))


def mostly_missing(rows: Sequence[EngineFigure]) -> bool:
    """Whether a dot plot would show fewer engines than it lacks."""
    return 2 * sum(row.point is not None for row in rows) < len(rows)


def in_words(metric: str, rows: Sequence[EngineFigure]) -> str:
    """What a chart that is left out would have shown: `disk (only qdrant: 81 MiB)`."""
    known = [f"{row.label}: {quantity(metric, row.point.mean)}" for row in rows if row.point is not None]
    return f"{spec(metric).label} ({f'only {listing(known)}' if known else 'no engine has it'})"


def _shortened(row: EngineFigure) -> str:
    mark = " ✘" if row.out else ""
    return shortened(row.label.removesuffix(mark), LONGEST_LABEL) + mark


def _draw_dot(plot: Axes, place: int, scale: float, row: EngineFigure, look: EngineStyle) -> None:
    if row.point is None:
        across = plot.get_yaxis_transform()
        plot.text(
            0.02, place, "missing, see below", transform=across, color=MUTED, va="center", style="italic"
        )
        return
    low, mean, high = (bound * scale for bound in (row.point.low, row.point.mean, row.point.high))
    spread = [[mean - low], [high - mean]]
    plot.axhline(place, color=GRID, linewidth=0.8, zorder=0)
    plot.errorbar(
        [mean], [place], xerr=spread, color=look.colour, marker=look.marker, elinewidth=1.4, clip_on=False
    )


def _takeaway(metric: str, rows: Sequence[EngineFigure]) -> str:
    """The best engine and how far the last one is behind, of those that meet the requirements if any does. At least one
    of the rows has a figure.
    """
    eligible = [row for row in rows if not row.out and row.point]
    among = " of those without ✘" if eligible and any(row.out for row in rows) else ""
    rows, term = eligible or rows, spec(metric)
    name = f"{term.label[0].upper()}{term.label[1:]}"
    known = [(row.point.mean, row.label) for row in rows if row.point is not None]
    known.sort(reverse=term.better == "higher")
    best, last = known[0], known[-1]
    if len(known) == 1 or best[0] == last[0]:
        return f"{name}{among}: {quantity(metric, best[0])} for {best[1]}"
    low, high = sorted((best[0], last[0]))
    if low > 0 and high / low < 1.25:
        return (
            f"{name} is much the same for all{among}, {number(low * term.scale)} to {quantity(metric, high)}"
        )
    gap = f", {number(high / low)} times apart" if low > 0 else ""
    extreme = "Highest" if term.better == "higher" else "Lowest"
    ends = [f"{label} ({quantity(metric, value)})" for value, label in (best, last)]
    return f"{extreme} {term.label}{among}: {ends[0]}; last {ends[1]}{gap}"
