"""Drawing helpers shared by the charts: trial whiskers, labels at the right, axes that suit the spread."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reports.charts.style import INK, MUTED, EngineStyle
from reports.wording import short_number, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LABEL_GAP = 14.0  # between two labels' middles, in pixels
LONGEST_LABEL = 17  # characters; the legend above the charts has names in full
_LINEAR_UP_TO = 8.0  # the largest ratio of values that a linear axis shows well


@dataclass(frozen=True, slots=True)
class Point:
    """A mean over trials with the lowest and the highest trial."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Point:
        low, high = min(values), max(values)
        # In floating point the mean of equal values can lie beside them, and a whisker would point inwards.
        return cls(min(max(float(np.mean(values)), low), high), low, high)


@dataclass(frozen=True, slots=True)
class Series:
    """A line of one engine: x and y points of equal number."""

    engine: str
    look: EngineStyle
    x: tuple[Point, ...]
    y: tuple[Point, ...]
    hollow: tuple[bool, ...] = ()  # markers drawn open, one a point
    ring: int | None = None  # the point that is the decision's


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis: its limits, and whether it is logarithmic or counts nines of recall."""

    low: float
    high: float
    kind: str = "linear"  # linear | log | nines

    @classmethod
    def fitting(cls, values: Sequence[float], *, zero: bool = True) -> Scale:
        """Logarithmic where the values differ widely, else linear from zero (or from the lowest value)."""
        top, bottom = max(values, default=1.0), min(values, default=0.0)
        if bottom > 0 and top / bottom > _LINEAR_UP_TO:
            return cls(bottom / 1.5, top * 1.6, "log")
        return cls(0.0 if zero else bottom, top * 1.08 or 1.0)

    @classmethod
    def recall(cls, values: Sequence[float]) -> Scale:
        """By nines (0.9, 0.99, 0.999 and 1 lie about equally far apart), so that what differs near 1 can be told apart;
        from somewhat below the lowest value.
        """
        missed = 1 - min(values, default=0.0)
        return cls(1 - min(max(1.5 * missed, 0.02), 1.0), 1.0, "nines")


def nines(recall: Any) -> Any:
    """-log10(1 - recall), bounded so that recall 1 has a place: 0.9 -> 1.0, 0.99 -> 1.96, 1 -> 3."""
    return -np.log10(np.maximum(1 - np.asarray(recall, dtype=np.float64), 0.0) + 1e-3)


def _recalls(value: Any) -> Any:
    return 1 + 1e-3 - 10.0 ** -np.asarray(value, dtype=np.float64)


def apply_scale(axes: Axes, scale: Scale, which: str) -> None:
    """Sets an axis (`x` or `y`) with few, plainly written ticks."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    set_scale = axes.set_xscale if which == "x" else axes.set_yscale
    if scale.kind == "log":
        set_scale("log")
        decades = math.log10(scale.high / scale.low)
        few = decades < (1.4 if which == "x" else 2)  # numbers stand side by side below an axis
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=12))
    elif scale.kind == "nines":
        set_scale("function", functions=(nines, _recalls))
        if scale.low < 0.85:
            ticks: tuple[float, ...] = (0.0, 0.5, 0.9, 0.99, 1.0)
        elif which == "x":  # numbers stand side by side there, and more of them would touch
            ticks = (0.9, 0.99, 0.999, 1.0) if scale.low < 0.95 else (0.95, 0.99, 0.999, 1.0)
        else:
            ticks = (0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)
        axis.set_major_locator(FixedLocator([tick for tick in ticks if tick >= scale.low]))
    else:
        axis.set_major_locator(MaxNLocator(5 if which == "y" else 4))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))
    (axes.set_xlim if which == "x" else axes.set_ylim)(scale.low, scale.high)


def draw(axes: Axes, series: Sequence[Series]) -> None:
    """Lines with markers; whiskers from the lowest to the highest trial."""
    for line in series:
        x, y = [p.mean for p in line.x], [p.mean for p in line.y]
        axes.plot(x, y, color=line.look.colour, linestyle=line.look.line, zorder=3, alpha=0.85)
        if line.ring is not None:
            ringed = [x[line.ring]], [y[line.ring]]
            axes.plot(*ringed, "o", markersize=15, markerfacecolor="none", color=INK, clip_on=False, zorder=5)
        errors = [
            np.array([[p.mean - p.low for p in side], [p.high - p.mean for p in side]])
            for side in (line.x, line.y)
        ]
        hollow = np.array(line.hollow or [False] * len(x))
        for chosen, face in ((~hollow, line.look.colour), (hollow, "white")):
            if chosen.any():
                axes.errorbar(
                    np.array(x)[chosen],
                    np.array(y)[chosen],
                    xerr=errors[0][:, chosen],
                    yerr=errors[1][:, chosen],
                    color=line.look.colour,
                    marker=line.look.marker,
                    markerfacecolor=face,
                    elinewidth=1.2,
                    linestyle="none",
                    clip_on=False,
                    zorder=4,
                )


def label_right(axes: Axes, series: Sequence[Series]) -> None:
    """Writes each line's engine at the right edge, level with its last point, apart from one another.

    The axes' limits and scales must be final. A thin leader ties a label to the end of its line.
    """
    ends = [
        (line, max(zip(line.x, line.y, strict=True), key=lambda p: p[0].mean)) for line in series if line.x
    ]
    if not ends:
        return
    box = axes.bbox
    spots = axes.transData.transform([(x.mean, y.mean) for _, (x, y) in ends])
    heights = spread([float(spot[1]) for spot in spots], _LABEL_GAP, float(box.y0), float(box.y1))
    for (line, _), spot, height in zip(ends, spots, heights, strict=True):
        anchor = (float(box.x1) + 12, height)
        axes.annotate(
            shortened(line.engine, LONGEST_LABEL),
            xy=(float(spot[0]), float(spot[1])),
            xycoords="figure pixels",
            xytext=anchor,
            textcoords="figure pixels",
            va="center",
            ha="left",
            color=darker(line.look.colour),
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": line.look.colour,
                "linewidth": 0.7,
                "alpha": 0.6,
                "shrinkA": 2,
                "shrinkB": 5,
            },
        )


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The places moved apart by at least `gap`, in their order, within low and high as far as there is room."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [min(max(places[i], low), high) for i in order]
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    for i in range(len(moved) - 1, -1, -1):
        limit = high if i == len(moved) - 1 else moved[i + 1] - gap
        moved[i] = min(moved[i], limit)
    result = [0.0] * len(places)
    for place, i in zip(moved, order, strict=True):
        result[i] = place
    return result


def label_margin(labels: Iterable[str], longest: int = LONGEST_LABEL) -> float:
    """Pixels to keep beside the plot for these labels, which are cut at `longest` characters."""
    return 20 + 6.7 * max((min(len(label), longest) for label in labels), default=0)


def darker(colour: str) -> str:
    """The colour mixed with ink, so that thin text in it stays readable on white."""
    shades = [(int(colour[i : i + 2], 16), int(INK[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(own * 0.7 + ink * 0.3):02x}" for own, ink in shades)


def limit_line(axes: Axes, value: float, text: str) -> None:
    """A vertical line at a requirement, labelled at its foot; nothing where that lies outside the axes.

    The axes' limits and scales must be final.
    """
    low, high = axes.get_xlim()
    if not low <= value <= high:
        return
    place = float(axes.transAxes.inverted().transform(axes.transData.transform((value, 1.0)))[0])
    left = place > 0.3  # on the side where there is room
    axes.axvline(value, color=MUTED, linewidth=1, linestyle=(0, (3, 3)), zorder=1)
    axes.annotate(
        text,
        xy=(value, 0),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if left else 4, 5),
        textcoords="offset points",
        ha="right" if left else "left",
        color=MUTED,
    )
