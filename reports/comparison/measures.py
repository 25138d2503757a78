"""What is compared of an engine: which cells a figure comes from, and how they become one value a trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.results.metrics import spec
from reports.charts.dots import over_filters
from reports.charts.drawn import MOST_PANELS, evenly
from reports.comparison.obstacles import Comparable
from reports.comparison.runs import ComparedRun
from reports.decide.cells import Cells, Floats
from reports.decide.groups import NOT_RECORDED, TrialGroup

_ByTrial = Sequence[Mapping[int, float]]  # a mapping a group of cells
_Combined = Callable[[_ByTrial, Floats], Sequence[float]]
_THROUGHPUT = "throughput_qps"


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of an engine in a run.

    metric: whose unit and direction it has. sources: the metrics that it is made of, `{k}` standing for the run's
    number of hits. groups: the cells that it comes from. combined: the values trial by trial of every group, source by
    source, as one a trial; beside them the share of the mix that each group is. comparable: whether the figures of two
    runs may be compared. of_mix: whether it is over the mix, so that the decision has it where it goes by that metric.
    """

    name: str
    metric: str
    sources: tuple[str, ...]
    groups: Callable[[ComparedRun, str], list[TrialGroup]]
    combined: _Combined
    comparable: Callable[[Comparable], bool]
    of_mix: bool = False

    def values(self, run: ComparedRun, engine: str) -> tuple[float, ...]:
        """One value a trial; none where it was not measured."""
        if self.of_mix and engine in run.shown and run.evidence.objective.metric == self.metric:
            return tuple(run.shown[engine].by_trial.values())
        groups, names = self.groups(run, engine), self._sources(run)
        values = [group.values(name) for group in groups for name in names]
        return (
            tuple(self.combined(values, run.evidence.objective.shares([g.filter for g in groups])))
            if values
            else ()
        )

    def gap(self, run: ComparedRun, engine: str) -> str:
        """Why there is no value; empty for an engine that the run does not have."""
        if engine not in run.shown:
            return ""
        gaps = [group.gap(name) for group in self.groups(run, engine) for name in self._sources(run)]
        return next((gap for gap in gaps if gap), NOT_RECORDED)

    def _sources(self, run: ComparedRun) -> list[str]:
        return [name.format(k=run.evidence.cells.k) for name in self.sources]


def measures(runs: Sequence[ComparedRun]) -> list[Measure]:
    """Everything that is compared, in the order in which it is shown; throughput filter by filter comes last."""
    goals = dict.fromkeys([_THROUGHPUT, *(run.evidence.objective.metric for run in runs)])
    filters = list(dict.fromkeys(name for run in runs for name in run.evidence.cells.closed_loop.filters))
    return [
        *(_over_mix(metric) for metric in goals),
        _searched("Recall, worst filter", "recall_at_{k}", lambda values, _: _worst(values, min)),
        _searched("P99 latency, worst filter", "latency_p99_ms", lambda values, _: _worst(values, max)),
        *(_over_mix(metric) for metric in ("cpu_s_per_1000",) if metric not in goals),
        _built("Build time", ("index_s", "ready_s"), _sum),
        _built("Peak memory", ("rss_peak_bytes",), _first),
        _built("Disk", ("disk_bytes",), _first),
        *(_of_filter(name) for name in evenly(filters, MOST_PANELS) if len(filters) > 1),
    ]


def _over_mix(metric: str) -> Measure:
    label = spec(metric).label
    return Measure(
        f"{label[0].upper()}{label[1:]} (mix)",
        metric,
        (metric,),
        _closed if metric == _THROUGHPUT else _objective,
        lambda values, shares: over_filters(metric, values, shares),
        lambda beside: beside.mix,
        of_mix=True,
    )


def _searched(name: str, metric: str, combined: _Combined) -> Measure:
    return Measure(name, metric.format(k=10), (metric,), _objective, combined, lambda beside: beside.mix)


def _built(name: str, sources: tuple[str, ...], combined: _Combined) -> Measure:
    return Measure(name, sources[-1], sources, _index, combined, lambda beside: beside.data)


def _of_filter(name: str) -> Measure:
    def groups(run: ComparedRun, engine: str) -> list[TrialGroup]:
        return [group for group in _closed(run, engine) if group.filter == name]

    title, metric = f"Throughput, filter {name}", _THROUGHPUT
    return Measure(title, metric, (metric,), groups, _first, lambda beside: name in beside.filters)


def _objective(run: ComparedRun, engine: str) -> list[TrialGroup]:
    """The searches by which the run decides, one group a filter, at the setting that is shown."""
    return _searches(run, engine, run.evidence.cells)


def _closed(run: ComparedRun, engine: str) -> list[TrialGroup]:
    """The same of its closed loop, where it decides by another load."""
    return _searches(run, engine, run.evidence.cells.closed_loop)


def _searches(run: ComparedRun, engine: str, cells: Cells) -> list[TrialGroup]:
    return cells.objective(run.shown[engine].configuration) if engine in run.shown else []


def _index(run: ComparedRun, engine: str) -> list[TrialGroup]:
    return (
        run.evidence.cells.build(run.shown[engine].configuration, "index")[:1] if engine in run.shown else []
    )


def _first(values: _ByTrial, _shares: Floats) -> Sequence[float]:
    return list(values[0].values())


def _sum(values: _ByTrial, _shares: Floats) -> Sequence[float]:
    trials = set.intersection(*(set(each) for each in values))
    return [sum(each[trial] for each in values) for trial in sorted(trials)]


def _worst(values: _ByTrial, worst: Callable[..., Mapping[int, float]]) -> Sequence[float]:
    """Those of the filter whose mean over trials is worst; none where a filter has no value."""
    if not all(values):
        return ()
    return list(worst(values, key=lambda each: fmean(each.values())).values())
