"""The charts of latency under load, as more queries are due: up to an engine's limit, and beyond it."""

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

_KEPT_UP = 0.95  # of what was due


def latency_charts(cells: Cells, styles: Mapping[str, EngineStyle], shown: Drawn) -> list[Chart]:
    """The median, a high percentile and the highest latency against the offered rate, for each filter."""
    offered = {build: groups for build, groups in cells.offered().items() if build in shown.lines}
    every = [group for groups in offered.values() for group in groups if group.filter in shown.filters]
    percentiles = ("latency_p50_ms", high_percentile(every))
    scales = dict.fromkeys(percentiles, _fitting(every, percentiles))
    if any(group.values("latency_max_ms") for group in every):
        scales["latency_max_ms"] = _fitting(
            every, ["latency_max_ms"]
        )  # an axis of its own: one stall may last seconds
    rates = _padded([rate for group in every if (rate := offered_rate(group)) is not None])
    charts = []
    for place, name in enumerate(dict.fromkeys(group.filter for group in every)):
        lines = {build: [g for g in groups if g.filter == name] for build, groups in offered.items()}
        for metric, scale in scales.items():
            series, notes = _latency_lines(metric, lines, styles)
            term = spec(metric)
            takeaway = f"{name}: {_lowest(metric, lines)}"
            axes = Axis("offered queries per second", rates), Axis(f"{term.label}, ms", scale)
            key = f"latency-{place}-{metric[8:-3]}"
            svg = line_chart(key, takeaway, series, axes) if series else ""
            charts.append(Chart(key, takeaway, svg, notes))
    return charts


def offered_rate(group: TrialGroup) -> float | None:
    """Queries a second that were due: as the scenario asks, or mean over the trials where it is a share of what each
    trial reached. None where no trial was measured.
    """
    if group.rate is not None:
        return group.rate
    values = list(group.values("offered_qps").values())
    return sum(values) / len(values) if values else None


def limits(cells: Cells, shown: Drawn) -> str:
    """Up to which rate each engine that was loaded to its limit keeps up, in a sentence; empty where none was."""
    found: dict[str, float] = {}
    for (engine, index), groups in cells.offered().items():
        if (engine, index) in shown.lines and any(group.share is not None for group in groups):
            rates = [offered_rate(group) or 0.0 for group in groups if kept_up(group)]
            found[engine] = max(found.get(engine, 0.0), *rates, 0.0)
    ordered = sorted(found.items(), key=lambda item: -item[1])
    told = [f"{engine} with {number(rate)}/s" if rate else f"{engine} with none" for engine, rate in ordered]
    return f"Of the rates that were offered, each keeps up at most: {listing(told)}." if told else ""


def high_percentile(groups: Sequence[TrialGroup]) -> str:
    """The highest percentile that most cells have at the highest load: short windows lack requests for P99."""
    top = max((group.rate or 0.0, group.share or 0.0) for group in groups) if groups else (0.0, 0.0)
    groups = [group for group in groups if group.rate == top[0] or group.share]
    for metric in ("latency_p99_ms", "latency_p95_ms", "latency_p90_ms"):
        if 2 * sum(bool(group.values(metric)) for group in groups) >= len(groups):
            return metric
    return "latency_p99_ms"


def kept_up(group: TrialGroup) -> bool:
    """Whether an engine answered (nearly) as many queries as were due."""
    served, due = group.values("throughput_qps"), group.values("offered_qps")
    return all(rate >= _KEPT_UP * due.get(trial, 0.0) for trial, rate in served.items())


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
        known = [g for g in groups if g.values(metric) and offered_rate(g) is not None]
        known.sort(key=lambda g: offered_rate(g) or 0.0)
        gaps = {group.load: gap for group in groups if (gap := group.gap(metric)) is not None}
        if gaps:
            notes.append((engine, f"at {listing(list(gaps))}, {next(iter(gaps.values()))}"))
        if known:
            x = tuple(Point.of([offered_rate(group) or 0.0]) for group in known)
            y = tuple(Point.of(list(group.values(metric).values())) for group in known)
            series.append(Series(engine, styles[engine], x, y, tuple(not kept_up(group) for group in known)))
    return series, together(notes)


def _lowest(metric: str, lines: Mapping[tuple[str, str], Sequence[TrialGroup]]) -> str:
    """Which engine answers soonest at the highest rate, of those asked of all, that one of them kept up with; where
    each was loaded to its limit, who keeps up with most.
    """
    label = spec(metric).label
    measured = [(engine, g) for (engine, _), groups in lines.items() for g in groups if g.values(metric)]
    if not measured:
        return f"{label} not measured"
    steady = [(engine, group) for engine, group in measured if kept_up(group)]
    asked = [(engine, group) for engine, group in steady if group.rate is not None]
    if asked:
        rate = max(group.rate or 0.0 for _, group in asked)
        means = [(Point.of(list(g.values(metric).values())).mean, e) for e, g in asked if g.rate == rate]
        value, engine = min(means)
        return f"at {number(rate)}/s {engine} has the lowest {label}, {number(value)} ms"
    if not steady:
        return "no engine kept up"
    rate, engine = max((offered_rate(group) or 0.0, engine) for engine, group in steady)
    return f"{engine} keeps up with most, {number(rate)}/s"
