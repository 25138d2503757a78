"""The chart of the objective filter by filter: who is ahead where, on one line a filter."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from harness.results.metrics import spec
from reports.charts.lines import Chart
from reports.charts.plotting import LONGEST_LABEL, Point, Scale, apply_scale, label_margin
from reports.charts.style import GRID, INK, EngineStyle
from reports.charts.svg import panel, to_svg
from reports.decide.cells import Cells, Configuration
from reports.wording import listing, shortened

_LINE = 34  # pixels between two filters


def filter_chart(
    cells: Cells,
    styles: Mapping[str, EngineStyle],
    shown: Mapping[str, Configuration],
    filters: Sequence[str],
    metric: str,
    *,
    out: Collection[str] = (),
) -> Chart | None:
    """A line a filter with a marker an engine at its setting; None where nothing was measured.

    filters: from the top down. out: engines that do not meet the requirements.
    """
    found = {
        (engine, group.filter): Point.of(list(values))
        for engine, setting in shown.items()
        for group in cells.objective(setting)
        if group.filter in filters and (values := group.values(metric).values())
    }
    if not found:
        return None
    term, takeaway = spec(metric), _takeaway(metric, found, filters, out)
    bounds = [term.scale * bound for point in found.values() for bound in (point.low, point.high)]
    left = label_margin(filters, LONGEST_LABEL + 2)
    figure, plot = panel(left=left, right=16, top=8, bottom=44, height=52 + _LINE * len(filters))
    apply_scale(plot, Scale.fitting(bounds), "x")
    plot.set_xlabel(term.heading)
    plot.set_ylim(len(filters) - 0.5, -0.5)
    plot.set_yticks([])
    across, beside = plot.get_yaxis_transform(), -(left - 6) / plot.bbox.width
    for line, name in enumerate(filters):
        plot.axhline(line, color=GRID, linewidth=0.8, zorder=0)
        plot.text(beside, line, shortened(name, LONGEST_LABEL), transform=across, color=INK, va="center")
    for (engine, name), point in found.items():
        low, mean, high = (term.scale * bound for bound in (point.low, point.mean, point.high))
        look, spread = styles[engine], [[mean - low], [high - mean]]
        plot.errorbar(
            [mean], [filters.index(name)], xerr=spread, color=look.colour, marker=look.marker, elinewidth=1.2,
            clip_on=False,
        )  # fmt: skip
    svg = to_svg(figure, "by-filter", f"{takeaway}. {term.label} of each engine, filter by filter.")
    return Chart("by-filter", takeaway, svg)


def _takeaway(
    metric: str, found: Mapping[tuple[str, str], Point], filters: Sequence[str], out: Collection[str]
) -> str:
    """Who is ahead where, by the means alone, of those that meet the requirements if any does."""
    eligible = {place: point for place, point in found.items() if place[0] not in out}
    among = " of those that meet every requirement" if eligible and len(eligible) < len(found) else ""
    found = eligible or found
    term = spec(metric)
    extreme, best = ("Highest", max) if term.better == "higher" else ("Lowest", min)
    ahead: dict[str, list[str]] = {}
    for name in filters:
        means = {engine: point.mean for (engine, where), point in found.items() if where == name}
        if means:
            ahead.setdefault(best(means, key=means.__getitem__), []).append(name)
    told = (f"{engine} with {listing(names)}" for engine, names in ahead.items())
    return f"{extreme} {term.label}{among}: {'; '.join(told)}"
