"""Hits lost by recall against exact, a panel a filter: a line an engine, bars for the intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.charts.plotting import Point, Scale, Series, apply_scale, draw
from reports.charts.style import MUTED, engine_styles
from reports.charts.svg import panel, styled, to_svg

_LEFT = 58.0  # pixels for the y axis
Entry = Mapping[str, Any]  # a point of engines.json


def colours(engines: Sequence[str]) -> list[tuple[str, str]]:
    """What the legend says: each engine with its colour."""
    return [(engine, look.colour) for engine, look in engine_styles(engines).items()]


def losses(points: Sequence[Entry], engines: Sequence[str], name: str, about: str) -> str:
    """The chart of one filter's points as SVG, "" where none has a recall. engines: all of the page, for their looks.

    name: unique in the page. about: what it shows, in words.
    """
    styles, lines = engine_styles(engines), []
    for engine in engines:
        own = [_xy(point) for point in points if point["engine"] == engine]
        known = sorted((xy for xy in own if xy is not None), key=lambda xy: xy[0].mean)
        if known:
            lines.append(Series(engine, styles[engine], *map(tuple, zip(*known, strict=True))))  # type: ignore[arg-type]
    if not lines:
        return ""
    xs = [bound for line in lines for point in line.x for bound in (point.low, point.high)]
    ys = [bound for line in lines for point in line.y for bound in (point.low, point.high)]
    with styled():
        figure, plot = panel(left=_LEFT, right=16)
        apply_scale(plot, Scale(max(0.0, min(xs) - 0.03), 1.005), "x")
        room = 0.05 * (max(*ys, 1.0) - min(*ys, 0.0))
        apply_scale(plot, Scale(min(*ys, 0.0) - room, max(*ys, 1.0) + room), "y")
        plot.set_xlabel("recall against exact")
        plot.set_ylabel("hits lost, %")
        plot.yaxis.set_label_coords((9 - _LEFT) / plot.bbox.width, 0.5)
        plot.axhline(0.0, color=MUTED, linewidth=1, zorder=1)
        draw(plot, lines)
        return to_svg(figure, name, about)


def _xy(point: Entry) -> tuple[Point, Point] | None:
    """Recall, and hits lost in per cent, with their intervals; None where either is not known."""
    recall, lost = point["loss"]["recall"], point["loss"]["hits_lost"]
    if recall["estimate"] is None or lost["change"] is None:
        return None
    return _point(recall["estimate"], recall, 1.0), _point(lost["change"], lost, 100.0)


def _point(value: float, bounds: Mapping[str, Any], scale: float) -> Point:
    """Where the bounds of a small sample leave the value out, the bar ends at it."""
    low, high = (value if bounds[key] is None else bounds[key] for key in ("low", "high"))
    return Point(scale * value, scale * min(low, value), scale * max(high, value))
