"""How a soak went, over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.charts.lines import Axis, Chart, line_chart
from reports.charts.plotting import Point, Scale, Series
from reports.charts.style import engine_styles
from reports.charts.svg import styled
from reports.wording import number

Course = Sequence[Mapping[str, Any]]
_MIB = 2**20


def charts(course: Course, memory: Sequence[Sequence[float]]) -> list[Chart]:
    """Latency of reads, time until searchable, throughput and failures, memory; each only where there is something."""
    latency = {"longest": "max", "90 %": "p90", "median": "p50"}
    found = [
        _chart(
            "reads",
            "Questions, from when they were due",
            "ms",
            {name: _points(course, f"read_{key}_ms") for name, key in latency.items()},
        ),
        _chart(
            "searchable",
            "New listings, from when they were due until they were searchable",
            "ms",
            {name: _points(course, f"put_{key}_ms") for name, key in latency.items()},
        ),
        _chart(
            "throughput",
            "Requests a second, those due and those answered as asked",
            "requests per second",
            {"due": _points(course, "due_per_s"), "answered": _points(course, "answered_per_s")},
        ),
        _chart(
            "faults",
            _faults(course),
            "number in a window",
            {
                "not answered": _points(course, "failed"),
                "sold hits": _points(course, "stale"),
                "outside filter": _points(course, "unmet"),
            },
        ),
        _chart("memory", _grew(memory), "MiB", {"service": [(at, rss / _MIB) for at, rss in memory]}),
    ]
    return [chart for chart in found if chart is not None]


def _points(course: Course, key: str) -> list[tuple[float, float]]:
    return [(line["at_s"], line[key]) for line in course if line[key] is not None]


def _chart(
    name: str, takeaway: str, label: str, lines: Mapping[str, Sequence[tuple[float, float]]]
) -> Chart | None:
    styles = engine_styles(lines)
    series = [
        Series(
            line,
            styles[line],
            tuple(Point.of([x]) for x, _ in points),
            tuple(Point.of([y]) for _, y in points),
        )
        for line, points in lines.items()
        if points
    ]
    if not series:
        return None
    xs = [x.mean for line in series for x in line.x]
    ys = [y.mean for line in series for y in line.y]
    axes = Axis("seconds since the start", Scale(0.0, max(xs) * 1.02 or 1.0)), Axis(label, Scale.fitting(ys))
    with styled():
        return Chart(name, takeaway, line_chart(name, takeaway, series, axes))


def _faults(course: Course) -> str:
    total = sum(line[key] for line in course for key in ("failed", "stale", "unmet"))
    return f"{number(total)} faults, by when they happened" if total else "No fault at any time"


def _grew(memory: Sequence[Sequence[float]]) -> str:
    if len(memory) < 2:
        return "Memory of the service"
    first, last = memory[0][1] / _MIB, memory[-1][1] / _MIB
    return f"Memory of the service: {number(first)} MiB at first, {number(last)} MiB at the end"
