"""How training went: loss and validation recall by epoch."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.charts.plotting import Point, Scale, Series, apply_scale, draw, limit_line
from reports.charts.style import engine_styles
from reports.charts.svg import panel, styled, to_svg
from reports.wording import number

_LEFT = 64.0  # pixels for the y axis
Epochs = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Curve:
    """A chart with what it shows in a line."""

    takeaway: str
    svg: str


def best_epoch(epochs: Epochs) -> int:
    """The first epoch of the highest validation recall, counted from 0; that is the model that is kept."""
    return max(range(len(epochs)), key=lambda at: epochs[at]["recall"])


def curves(epochs: Epochs, k: int) -> tuple[Curve, ...]:
    """Loss and validation recall; none without an epoch. The kept epoch has a ring and a line."""
    if not epochs:
        return ()
    best = best_epoch(epochs)
    losses, recalls = ([float(record[what]) for record in epochs] for what in ("loss", "recall"))
    with styled():
        return (
            _curve("training-loss", _fell(losses), "mean loss of an epoch", losses, best, zero=False),
            _curve(
                "training-recall",
                f"Validation recall@{k} is highest in epoch {best + 1}: {number(recalls[best])}",
                f"recall@{k}, validation",
                recalls,
                best,
                zero=True,
            ),
        )


def how_it_trained(epochs: Epochs, training: Mapping[str, Any]) -> str:
    """The caption: how many epochs, why it ended, how fast it was."""
    if not epochs:
        return "No epoch was trained."
    count, planned = len(epochs), training["epochs"]
    ended = (
        f"all {planned} that were asked for"
        if count >= planned
        else f"of {planned} asked for; it ended as {training['patience']} brought no better validation recall"
    )
    rates = [float(record["examples_per_s"]) for record in epochs]
    later = rates[1:] or rates
    speed = f"{number(statistics.median(later))} examples/s"
    warm = f" ({number(rates[0])} in the first epoch, which compiles as well)" if len(rates) > 1 else ""
    return (
        f"{count} {'epoch' if count == 1 else 'epochs'}, {ended}. The model of epoch {best_epoch(epochs) + 1} is kept: "
        f"it has the best validation recall (ring). Median speed {speed}{warm}."
    )


def _fell(losses: Sequence[float]) -> str:
    if len(losses) == 1:
        return f"Loss is {number(losses[0])} after one epoch"
    verb = "falls" if losses[-1] < losses[0] else "does not fall:"
    return f"Loss {verb} from {number(losses[0])} to {number(losses[-1])}"


def _curve(name: str, takeaway: str, label: str, values: Sequence[float], best: int, *, zero: bool) -> Curve:
    from matplotlib.ticker import MaxNLocator

    points = tuple(Point.of([value]) for value in values)
    numbers = tuple(Point.of([place + 1.0]) for place in range(len(values)))
    look = engine_styles([name])[name]
    figure, plot = panel(left=_LEFT, right=16)
    spread = (max(values) - min(values)) or 1.0
    low = 0.0 if zero else min(values) - 0.2 * spread  # the line's label stands below the ring
    high = (max(values) * 1.1 or 1.0) if zero else max(values) + 0.06 * spread
    apply_scale(plot, Scale(0.7, len(values) + 0.3), "x")
    plot.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    apply_scale(plot, Scale(low, high), "y")
    plot.set_xlabel("epoch")
    plot.set_ylabel(label)
    plot.yaxis.set_label_coords((9 - _LEFT) / plot.bbox.width, 0.5)
    limit_line(plot, best + 1.0, "kept")
    draw(plot, [Series(name, look, numbers, points, ring=best)])
    return Curve(takeaway, to_svg(figure, name, f"{takeaway}. {label} by epoch."))
