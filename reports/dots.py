"""Dot plots: one figure an engine, on one line each, for what has no curve (indexing, memory, updates)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from reports.cells import Configuration, Group, Table
from reports.charts import Chart
from reports.plotting import Point, Scale, apply_scale, darker, shortened
from reports.style import ALERT, MUTED, Look
from reports.svg import panel, to_svg
from reports.wording import number, quantity, settings, words

_LINE = 26  # pixels between two engines
_LONGEST_REASON = 34  # characters that fit into a panel; the cell table has reasons in full


@dataclass(frozen=True, slots=True)
class Row:
    """One engine's figure, or why there is none."""

    engine: str
    label: str
    point: Point | None
    reason: str | None

    def scaled(self, by: float) -> Row:
        """The row with its figure multiplied."""
        point = self.point and Point(self.point.mean * by, self.point.low * by, self.point.high * by)
        return Row(self.engine, self.label, point, self.reason)


def build_rows(table: Table, kind: str, metric: str) -> list[Row]:
    """One row an index that was built, for metrics of the `index` and `updates` tasks."""
    indexes = {(c.engine, c.index_json): c for c in table.candidates}
    engines = [engine for engine, _ in indexes]
    rows = []
    for candidate in indexes.values():
        several = engines.count(candidate.engine) > 1
        label = f"{candidate.engine} {settings(candidate.index)}" if several else candidate.engine
        rows += [_row(candidate.engine, label, group, metric) for group in table.build(candidate, kind)]
    return rows


def best_rows(table: Table, shown: Mapping[str, Configuration], metric: str) -> list[Row]:
    """One row an engine at the setting that is shown for it: a search metric's mean over the filters."""
    rows = []
    for engine, candidate in shown.items():
        groups = table.objective(candidate)
        found = [group.values(metric) for group in groups]
        trials = sorted(set.intersection(*(set(values) for values in found))) if found else []
        gap = next(
            (f"filter {g.filter}: {text}" for g in groups if (text := g.gap(metric)) is not None), None
        )
        means = [fmean(values[trial] for values in found) for trial in trials]
        rows.append(Row(engine, engine, Point.of(means) if means else None, gap))
    return rows


def _row(engine: str, label: str, group: Group, metric: str) -> Row:
    values = list(group.values(metric).values())
    return Row(engine, label, Point.of(values) if values else None, group.gap(metric))


def dot_chart(name: str, metric: str, rows: Sequence[Row], looks: Mapping[str, Look]) -> Chart:
    """A panel with a dot an engine, its value beside it, whiskers over the trials; gaps say why."""
    term = words(metric)
    height = 58 + _LINE * len(rows)
    figure, plot = panel(left=12, right=16, top=6, bottom=44, height=height)
    points = [row.point for row in rows if row.point is not None]
    bounds = [bound * term.scale for point in points for bound in (point.low, point.high)]
    apply_scale(plot, Scale.fitting(bounds), "x")
    plot.set_xlabel(f"{term.label}, {term.unit}" if term.unit else term.label)
    plot.set_ylim(len(rows) - 0.35, -0.75)
    plot.set_yticks([])
    plot.spines["left"].set_visible(False)
    for place, row in enumerate(rows):
        colour = looks[row.engine].colour
        plot.text(
            0.0,
            place - 0.33,
            shortened(row.label, 24),
            transform=plot.get_yaxis_transform(),
            color=darker(colour),
            va="center",
        )
        text = _value(metric, row)
        plot.text(
            1.0,
            place - 0.33,
            shortened(text, _LONGEST_REASON),
            transform=plot.get_yaxis_transform(),
            ha="right",
            va="center",
            color=MUTED if row.point else ALERT,
        )
        if row.point is not None:
            low, mean, high = (
                bound * term.scale for bound in (row.point.low, row.point.mean, row.point.high)
            )
            plot.errorbar(
                [mean],
                [place + 0.12],
                xerr=[[mean - low], [high - mean]],
                color=colour,
                marker=looks[row.engine].marker,
                elinewidth=1.4,
            )
    takeaway = _takeaway(metric, rows)
    svg = to_svg(figure, name, f"{takeaway}. {term.label} of {len(rows)} engines.")
    return Chart(name, takeaway, svg, tuple(f"{row.label}: {row.reason}" for row in rows if row.reason))


def _value(metric: str, row: Row) -> str:
    return quantity(metric, row.point.mean) if row.point else f"not measured: {row.reason}"


def _takeaway(metric: str, rows: Sequence[Row]) -> str:
    """The best engine and how far the last one is behind."""
    term = words(metric)
    name = f"{term.label[0].upper()}{term.label[1:]}"
    known = [(row.point.mean, row.label) for row in rows if row.point is not None]
    if not known:
        return f"{name} was not measured"
    known.sort(reverse=term.better == "higher")
    best, last = known[0], known[-1]
    if len(known) == 1 or best[0] == last[0]:
        return f"{name}: {quantity(metric, best[0])} for {best[1]}"
    ratio = max(best[0], last[0]) / min(best[0], last[0]) if min(best[0], last[0]) > 0 else None
    gap = f", {number(ratio)} times apart" if ratio and ratio >= 1.5 else ""
    extreme = "Highest" if term.better == "higher" else "Lowest"
    ends = [f"{label} ({quantity(metric, value)})" for value, label in (best, last)]
    return f"{extreme} {term.label}: {ends[0]}; last {ends[1]}{gap}"
