"""What a setting adds to the one behind it, as people read it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.results.stats import Interval
from reports.decide.added import METRICS, Added, added
from reports.decide.cells import Cells
from reports.wording import number


@dataclass(frozen=True, slots=True)
class AddedRow:
    """A pair under one load, as texts. figures: P50 and P99."""

    outer: str
    inner: str
    place: str
    trials: int
    figures: tuple[str, ...]


def added_rows(cells: Cells) -> list[AddedRow]:
    """A row a pair and load; none where no setting has another one of the run behind it."""
    return [_row(one) for one in added(cells)]


def added_lines(cells: Cells) -> list[str]:
    """The same for the terminal."""
    return [
        f"{one.outer.engine} adds to {one.inner.engine}, {one.place}: P50 {_figures(one)[0]}, P99 {_figures(one)[1]}"
        for one in added(cells)
    ]


def _row(one: Added) -> AddedRow:
    return AddedRow(one.outer.engine, one.inner.title, one.place, one.trials, _figures(one))


def _figures(one: Added) -> tuple[str, ...]:
    return tuple(_text(one.differences.get(metric)) for metric in METRICS)


def _text(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    bounds = "one trial, so no interval"
    if interval.low is not None and interval.high is not None:
        bounds = f"{interval.level:.0%}: {_signed(interval.low)} to {_signed(interval.high)}"
    return f"{_signed(interval.estimate)} ms ({bounds})"


def _signed(value: float) -> str:
    return f"{'-' if value < 0 else '+'}{number(abs(value))}"
