"""The charts of latency under load, as more queries are due."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from harness.results.metrics import spec
from reports.charts.drawn import Drawn
from reports.charts.lines import Axis, Chart, line_chart, together
from reports.charts.plotting import Point, Scale, Series
from reports.charts.style import EngineStyle
from reports.decide.cells import Cells
from reports.decide.groups import TrialGroup
from reports.wording import listing, number


def latency_charts(cells: Cells, styles: Mapping[str, EngineStyle], shown: Drawn) -> list[Chart]:
    """The median, a high percentile and the highest latency against the offered rate, for each filter."""
    offered = {build: groups for build, groups in cells.offered().items() if build in shown.lines}
    every = [group for groups in offered.values() for group in groups if group.filter in shown.filters]
    percentiles = ("latency_p50_ms", _high_percentile(every))
    scales = dict.fromkeys(percentiles, _fitting(every, percentiles))
    if any(group.values("latency_max_ms") for group in every):
        scales["latency_max_ms"] = _fitting(
            every, ["latency_max_ms"]
        )  # an axis of its own: one stall may last seconds
    rates = _padded([group.rate or 0.0 for group in every])
    charts = []
    for place, name in enumerate(dict.fromkeys(group.filter for group in every)):
        for metric, scale in scales.items():
            lines = {build: [g for g in groups if g.filter == name] for build, groups in offered.items()}
            series, notes = _latency_lines(metric, lines, styles)
            term = spec(metric)
            takeaway = f"{name}: {_lowest(series, term.label)}"
            axes = Axis("offered queries per second", rates), Axis(f"{term.label}, ms", scale)
            key = f"latency-{place}-{metric[8:-3]}"
            svg = line_chart(key, takeaway, series, axes) if series else ""
            charts.append(Chart(key, takeaway, svg, notes))
    return charts


def _high_percentile(groups: Sequence[TrialGroup]) -> str:
    """The highest percentile that most cells have at the highest rate: short windows lack requests for P99."""
    top = max((group.rate or 0.0 for group in groups), default=0.0)
    groups = [group for group in groups if group.rate == top]
    for metric in ("latency_p99_ms", "latency_p95_ms", "latency_p90_ms"):
        if 2 * sum(bool(group.values(metric)) for group in groups) >= len(groups):
            return metric
    return "latency_p99_ms"


def _fitting(groups: Sequence[TrialGroup], metrics: Collection[str]) -> Scale:
    return Scale.fitting(
        [value for group in groups for metric in metrics for value in group.values(metric).values()]
    )


def _padded(values: Sequence[float]) -> Scale:
    scale = Scale.fitting(values)
    return scale if scale.kind == "log" else Scale(0.0, max(values, default=1.0) * 1.1)


def _latency_lines(
    metric: str, lines: Mapping[tuple[str, str], Sequence[TrialGroup]], styles: Mapping[str, EngineStyle]
) -> tuple[list[Series], tuple[str, ...]]:
    series: list[Series] = []
    notes: list[tuple[str, str]] = []
    for (engine, _), groups in lines.items():
        known = sorted((g for g in groups if g.values(metric)), key=lambda g: g.rate or 0.0)
        gaps = {f"{group.rate:,g}/s": gap for group in groups if (gap := group.gap(metric)) is not None}
        if gaps:
            notes.append((engine, f"at {listing(list(gaps))}, {next(iter(gaps.values()))}"))
        if known:
            x = tuple(Point.of([group.rate or 0.0]) for group in known)
            y = tuple(Point.of(list(group.values(metric).values())) for group in known)
            series.append(Series(engine, styles[engine], x, y, tuple(not _kept_up(group) for group in known)))
    return series, together(notes)


def _kept_up(group: TrialGroup) -> bool:
    """Whether an engine answered (nearly) as many queries as were due."""
    served, due = group.values("throughput_qps"), group.values("offered_qps")
    return all(rate >= 0.95 * due.get(trial, 0.0) for trial, rate in served.items())


def _lowest(series: Sequence[Series], label: str) -> str:
    """Which engine answers soonest at the highest rate that one of them kept up with."""
    ends = [
        (x.mean, -y.mean, line.engine)
        for line in series
        for x, y, late in zip(line.x, line.y, line.hollow, strict=True)
        if not late
    ]
    if not ends:
        return f"{label} not measured" if not series else "no engine kept up"
    rate, value, engine = max(ends)
    return f"at {number(rate)}/s {engine} has the lowest {label}, {number(-value)} ms"
