"""The figures of each engine in each run, and how they compare with those of the first run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, geometric_mean

from harness.results.metrics import spec
from harness.results.stats import Comparison, compare_differences, compare_ratios
from reports.comparison.measures import measures
from reports.comparison.obstacles import Comparable
from reports.comparison.runs import ComparedRun
from reports.wording import figure, number, settings, shortened

LEVEL = 0.95
_MINUS = "−"
_LONGEST_REASON = 60  # characters
_Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """An engine's figure in one run. values: trial by trial, empty where there is none. change: against the first run,
    None where that cannot be told. told: the change as text, of a figure that is missing why. verdict: better or worse
    where the change's interval says so, else empty.
    """

    text: str
    values: _Numbers = ()
    change: Comparison | None = None
    told: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of one engine, an entry a run."""

    name: str
    metric: str
    entries: tuple[Entry, ...]

    @property
    def heading(self) -> str:
        """`Throughput (mix), queries/s`."""
        unit = spec(self.metric).unit
        return f"{self.name}, {unit}" if unit else self.name


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """An engine in every run. settings, statuses: a text a run. lines: its figures, throughput over the mix first."""

    engine: str
    settings: tuple[str, ...]
    statuses: tuple[str, ...]
    lines: tuple[Line, ...]


def engine_figures(runs: Sequence[ComparedRun], beside: Sequence[Comparable], engine: str) -> EngineFigures:
    """Every figure of an engine that at least one run has."""
    lines = []
    for measure in measures(runs):
        found = [measure.values(run, engine) for run in runs]
        first = found[0]
        entries = [
            _entry(measure.metric, own, first if place and measure.comparable(beside[place]) else ())
            if own
            else Entry("–", told=shortened(measure.gap(runs[place], engine), _LONGEST_REASON))
            for place, own in enumerate(found)
        ]
        if any(found):
            lines.append(Line(measure.name, measure.metric, tuple(entries)))
    return EngineFigures(
        engine,
        tuple(_setting(run, engine) for run in runs),
        tuple(run.status(engine) for run in runs),
        tuple(lines),
    )


def _setting(run: ComparedRun, engine: str) -> str:
    if engine not in run.shown:
        return "–"
    chosen = run.shown[engine].configuration
    return settings(chosen.index, chosen.search) or "default"


def _entry(metric: str, own: _Numbers, first: _Numbers) -> Entry:
    text = figure(metric, _mean(metric, own))
    change = _change(metric, first, own) if first else None
    if change is None:
        return Entry(text, own)
    return Entry(text, own, change, _told(metric, change), _verdict(metric, change))


def _mean(metric: str, values: _Numbers) -> float:
    """The geometric mean of what has a ratio, so that two of them and their ratio agree."""
    return fmean(values) if _is_recall(metric) or min(values) <= 0 else geometric_mean(values)


def _change(metric: str, first: _Numbers, own: _Numbers) -> Comparison | None:
    """The difference of a recall, the ratio of everything else; None where a value of 0 has no ratio."""
    if _is_recall(metric):
        return compare_differences(first, own, LEVEL)
    return compare_ratios(first, own, LEVEL) if min(first + own) > 0 else None


def _is_recall(metric: str) -> bool:
    return spec(metric).shown == "recall"


def _told(metric: str, change: Comparison) -> str:
    """`0.93 × (0.9 to 0.96)`, of a recall `+0.004 (-0.001 to +0.009)`; without the interval where there is none."""
    unit = "" if _is_recall(metric) else " ×"
    if change.low is None or change.high is None:
        return f"{_text(metric, change.change)}{unit}"
    return (
        f"{_text(metric, change.change)}{unit} ({_text(metric, change.low)} to {_text(metric, change.high)})"
    )


def _text(metric: str, value: float) -> str:
    if not _is_recall(metric):
        return number(value)
    shown = round(value, 3)
    return f"{'' if shown == 0 else '+' if shown > 0 else _MINUS}{abs(shown):.3f}"


def _verdict(metric: str, change: Comparison) -> str:
    """Better or worse where the interval excludes no change, also as it is shown."""
    none = 0.0 if _is_recall(metric) else 1.0
    if change.low is None or change.high is None or change.low <= none <= change.high:
        return ""
    nearest = change.low if change.low > none else change.high
    if _text(metric, nearest) == _text(metric, none):
        return ""
    return "better" if (nearest > none) == (spec(metric).better == "higher") else "worse"
