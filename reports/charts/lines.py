"""The charts that compare engines line by line: throughput against recall, both against selectivity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports.charts.drawn import MOST_POINTS, Build, Drawn, evenly
from reports.charts.plotting import (
    Point,
    Scale,
    Series,
    apply_scale,
    draw,
    label_margin,
    label_right,
    limit_line,
)
from reports.charts.style import EngineStyle
from reports.charts.svg import panel, to_svg
from reports.decide.cells import Cells, Configuration
from reports.wording import listing, number, percent, short_number

_Setting = tuple[Point, Point, bool]  # recall, throughput, whether it is the setting of the decision
FOUND_ALL = 0.9995  # a recall that is shown as 1.000
_LEFT = 64.0  # pixels for the y axis: its label, and ticks up to 100,000


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure for the page. takeaway: one line computed from the data; notes: what is missing in it, and why."""

    name: str
    takeaway: str
    svg: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows."""

    label: str
    scale: Scale


def line_chart(
    name: str,
    takeaway: str,
    series: Sequence[Series],
    axes: tuple[Axis, Axis],
    *,
    limit: tuple[float, str] | None = None,
) -> str:
    """A panel of labelled lines as SVG. limit: a requirement on the x axis, drawn as a line with its text."""
    figure, plot = panel(left=_LEFT, right=label_margin(line.engine for line in series))
    for which, axis in zip("xy", axes, strict=True):
        apply_scale(plot, axis.scale, which)
    plot.set_xlabel(axes[0].label)
    plot.set_ylabel(axes[1].label)
    plot.yaxis.set_label_coords((9 - _LEFT) / plot.bbox.width, 0.5)
    if limit:
        limit_line(plot, *limit)
    draw(plot, series)
    label_right(plot, series)
    return to_svg(figure, name, f"{takeaway}. {axes[1].label} against {axes[0].label}.")


def recall_charts(
    cells: Cells,
    styles: Mapping[str, EngineStyle],
    floor: float | None,
    chosen: Configuration | None,
    shown: Drawn,
) -> tuple[list[Chart], list[str]]:
    """Throughput against recall, one panel a filter, one line an index; axes shared, so that panels compare. And the
    filters that have none, for every setting found all: its markers would stand one upon the other.

    floor: the recall that is required. chosen: the setting to mark with a ring.
    """
    every = _curves(cells, styles, chosen, shown)
    complete = [name for name, lines in every.items() if lines and _found_all(lines)]
    curves = {name: lines for name, lines in every.items() if name not in complete}
    points = [
        point for lines in curves.values() for line in lines for point in zip(line.x, line.y, strict=True)
    ]
    axes = (
        Axis(f"recall@{cells.k}", Scale.recall([x.low for x, _ in points])),
        Axis("queries per second", Scale.fitting([bound for _, y in points for bound in (y.low, y.high)])),
    )
    gaps = _gaps(cells, f"recall_at_{cells.k}", shown)
    charts = []
    for place, (name, lines) in enumerate(curves.items()):
        takeaway = f"{name}: {_best_at(lines, floor)}"
        limit = (floor, f"≥ {short_number(floor)}") if floor is not None else None
        svg = line_chart(f"recall-{place}", takeaway, lines, axes, limit=limit)
        charts.append(Chart(f"recall-{place}", takeaway, svg, together(gaps[name])))
    return charts, complete


def _found_all(lines: Sequence[Series]) -> bool:
    return all(point.low >= FOUND_ALL for line in lines for point in line.x)


def _curves(
    cells: Cells, styles: Mapping[str, EngineStyle], chosen: Configuration | None, shown: Drawn
) -> dict[str, list[Series]]:
    """The lines of each filter that is drawn."""
    panels: dict[str, dict[Build, list[_Setting]]] = {
        name: {} for name in cells.filters if name in shown.filters
    }
    for candidate in cells.candidates:
        build = candidate.engine, candidate.index_json
        for group in cells.objective(candidate) if build in shown.lines else ():
            recall, rate = group.values(f"recall_at_{cells.k}"), group.values("throughput_qps")
            if group.filter in panels and recall and rate:
                point = Point.of(list(recall.values())), Point.of(list(rate.values())), candidate == chosen
                panels[group.filter].setdefault(build, []).append(point)
    return {
        name: [_line(engine, styles[engine], points) for (engine, _), points in builds.items()]
        for name, builds in panels.items()
    }


def _line(engine: str, look: EngineStyle, points: Sequence[_Setting]) -> Series:
    kept = sorted(_best_settings(points), key=lambda p: (p[0].mean, -p[1].mean))
    x, y, marks = zip(*kept, strict=True)
    return Series(engine, look, x, y, ring=marks.index(True) if any(marks) else None)


def _best_settings(points: Sequence[_Setting]) -> list[_Setting]:
    """All points; of many only those that no other beats in recall and throughput, and the one to be marked."""
    if len(points) <= MOST_POINTS:
        return list(points)
    best: list[_Setting] = []
    for point in sorted(points, key=lambda p: (-p[0].mean, -p[1].mean)):
        if not best or point[1].mean > best[-1][1].mean:
            best.append(point)
    kept = evenly(best, MOST_POINTS)
    return kept + [point for point in points if point[2] and point not in kept]


def _best_at(lines: Sequence[Series], floor: float | None) -> str:
    """The fastest engine of a panel at the recall that is asked for, and the next one."""
    best: dict[str, float] = {}
    for line in lines:
        for x, y in zip(line.x, line.y, strict=True):
            if floor is None or x.mean >= floor:
                best[line.engine] = max(best.get(line.engine, 0.0), y.mean)
    ranked = sorted(best.items(), key=lambda item: -item[1])[:2]
    if not ranked:
        return (
            "nothing was measured" if not lines else f"no setting reaches recall {short_number(floor or 0.0)}"
        )
    at = "" if floor is None else f" at recall ≥ {short_number(floor)}"
    first, *rest = [f"{engine} {number(rate)}/s" for engine, rate in ranked]
    return f"{first}{at}, next {rest[0]}" if rest else f"only {first}{at}"


def _gaps(cells: Cells, metric: str, shown: Drawn) -> dict[str, list[tuple[str, str]]]:
    """Which candidates each panel lacks, and why."""
    gaps: dict[str, list[tuple[str, str]]] = {name: [] for name in cells.filters if name in shown.filters}
    for candidate in cells.candidates:
        groups = {group.filter: group for group in cells.objective(candidate)}
        for name, found in gaps.items():
            reason = groups[name].gap(metric) if name in groups else "the run ended before it"
            if reason is not None:
                found.append((candidate.title, reason))
    return gaps


def together(notes: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """`a and b: reason` for what is missing for the same reason."""
    reasons: dict[str, list[str]] = {}
    for name, reason in notes:
        reasons.setdefault(reason, []).append(name)
    return tuple(f"{listing(list(dict.fromkeys(names)))}: {reason}" for reason, names in reasons.items())


def selectivity_charts(
    cells: Cells,
    styles: Mapping[str, EngineStyle],
    shown: Mapping[str, Configuration],
    shares: Mapping[str, float],
) -> list[Chart]:
    """Recall and throughput of each engine's best setting, from the most to the least selective filter.

    shares: the mean share of items that each filter lets through. Filters that let nothing through are left out.
    """
    metric = f"recall_at_{cells.k}"
    lines: dict[str, list[Series]] = {metric: [], "throughput_qps": []}
    for engine, candidate in shown.items():
        for name, found in lines.items():
            groups = [g for g in cells.objective(candidate) if shares.get(g.filter) and g.values(name)]
            groups.sort(key=lambda group: shares[group.filter])
            if groups:
                x = tuple(Point.of([100 * shares[group.filter]]) for group in groups)
                y = tuple(Point.of(list(group.values(name).values())) for group in groups)
                found.append(Series(engine, styles[engine], x, y))
    percents = [100 * share for name, share in shares.items() if share and name in cells.filters]
    x_axis = Axis("items that pass the filter, %", Scale.fitting(percents))
    recalls, rates = (
        [p for line in lines[name] for point in line.y for p in (point.low, point.high)] for name in lines
    )
    y_axes = (
        Axis(f"recall@{cells.k}", Scale.recall(recalls)),
        Axis("queries per second", Scale.fitting(rates)),
    )
    takeaways = _recall_falls(lines[metric]), _throughput_falls(lines["throughput_qps"])
    return [
        Chart(
            f"selectivity-{i}",
            takeaways[i],
            line_chart(f"selectivity-{i}", takeaways[i], found, (x_axis, y_axes[i])),
        )
        for i, found in enumerate(lines.values())
    ]


def _recall_falls(lines: Sequence[Series]) -> str:
    """Which engine's recall is lowest anywhere, compared with its widest filter."""
    if not lines:
        return "recall was not measured"
    drops = {line.engine: line.y[-1].mean - min(point.mean for point in line.y) for line in lines}
    worst = max(lines, key=lambda line: drops[line.engine])
    if drops[worst.engine] < 0.01:
        return "Recall hardly depends on the filter"
    return f"Recall falls most for {worst.engine}, to {min(point.mean for point in worst.y):.3f}"


def _throughput_falls(lines: Sequence[Series]) -> str:
    """Which engine is slowed down most by any of its filters, which need not be the narrowest."""
    lows = {line.engine: min(range(len(line.y)), key=lambda at: line.y[at].mean) for line in lines}
    kept = {
        line.engine: line.y[lows[line.engine]].mean / line.y[-1].mean for line in lines if line.y[-1].mean > 0
    }
    if not kept:
        return "throughput was not measured"
    worst = min((line for line in lines if line.engine in kept), key=lambda line: kept[line.engine])
    if kept[worst.engine] > 0.9:
        return "No engine slows down much as filters narrow"
    where = percent(worst.x[lows[worst.engine]].mean / 100)
    return (
        f"{worst.engine} slows down most: where {where} of the items pass, "
        f"to {percent(kept[worst.engine])} of its throughput with the widest filter"
    )
