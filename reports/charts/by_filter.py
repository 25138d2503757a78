"""The chart of the objective filter by filter: who is ahead where, on one line a filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.results.metrics import spec
from reports.charts.lines import Chart
from reports.charts.plotting import LONGEST_LABEL, Point, Scale, apply_scale, label_margin
from reports.charts.style import GRID, INK, EngineStyle
from reports.charts.svg import panel, to_svg
from reports.decide.cells import Cells, Configuration
from reports.wording import shortened

_LINE = 34  # pixels between two filters


def filter_chart(
    cells: Cells,
    styles: Mapping[str, EngineStyle],
    shown: Mapping[str, Configuration],
    filters: Sequence[str],
    metric: str,
    *,
    takeaway: str,
) -> Chart | None:
    """A line a filter with a marker an engine at its setting; None where nothing was measured.

    filters: from the top down.
    """
    found = {
        (engine, group.filter): Point.of(list(values))
        for engine, setting in shown.items()
        for group in cells.objective(setting)
        if group.filter in filters and (values := group.values(metric).values())
    }
    if not found:
        return None
    term = spec(metric)
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
