"""What is compared of an engine: which cells a figure comes from, and how they become one value a trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from reports.charts.dots import over_filters
from reports.charts.drawn import MOST_PANELS, evenly
from reports.comparison.obstacles import Comparable
from reports.comparison.runs import ComparedRun
from reports.decide.groups import NOT_RECORDED, TrialGroup

_ByTrial = Sequence[Mapping[int, float]]  # a mapping a group of cells
_LOADING, _WAITING = "index_s", "ready_s"


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of an engine in a run.

    metric: whose unit and direction it has. sources: the metrics that it is made of, `{k}` standing for the run's
    number of hits. groups: the cells that it comes from. combined: the values trial by trial of every group, source by
    source, as one a trial. comparable: whether the figures of two runs may be compared.
    """

    name: str
    metric: str
    sources: tuple[str, ...]
    groups: Callable[[ComparedRun, str], list[TrialGroup]]
    combined: Callable[[_ByTrial], Sequence[float]]
    comparable: Callable[[Comparable], bool]

    def values(self, run: ComparedRun, engine: str) -> tuple[float, ...]:
        """One value a trial; none where it was not measured."""
        if self.name == MIX and engine in run.shown and run.evidence.objective.metric == self.metric:
            return tuple(run.shown[engine].by_trial.values())  # as the decision has it
        groups, names = self.groups(run, engine), self._sources(run)
        return (
            tuple(self.combined([group.values(name) for group in groups for name in names])) if groups else ()
        )

    def gap(self, run: ComparedRun, engine: str) -> str:
        """Why there is no value; empty for an engine that the run does not have."""
        if engine not in run.shown:
            return ""
        gaps = [group.gap(name) for group in self.groups(run, engine) for name in self._sources(run)]
        return next((gap for gap in gaps if gap), NOT_RECORDED)

    def _sources(self, run: ComparedRun) -> list[str]:
        return [name.format(k=run.evidence.cells.k) for name in self.sources]


MIX = "Throughput (mix)"


def measures(runs: Sequence[ComparedRun]) -> list[Measure]:
    """Everything that is compared, in the order in which it is shown; throughput filter by filter comes last."""
    cpu = "cpu_s_per_1000"
    found = [
        _searched(MIX, "throughput_qps", lambda values: over_filters("throughput_qps", values)),
        _searched("Recall, worst filter", "recall_at_{k}", lambda values: _worst(values, min)),
        _searched("P99 latency, worst filter", "latency_p99_ms", lambda values: _worst(values, max)),
        _searched("CPU time per 1,000 queries", cpu, lambda values: over_filters(cpu, values)),
        _built("Build time", (_LOADING, _WAITING), _sum),
        _built("Peak memory", ("rss_peak_bytes",), _first),
        _built("Disk", ("disk_bytes",), _first),
    ]
    filters = list(dict.fromkeys(name for run in runs for name in run.evidence.cells.filters))
    return found + [_of_filter(name) for name in evenly(filters, MOST_PANELS) if len(filters) > 1]


def _searched(name: str, metric: str, combined: Callable[[_ByTrial], Sequence[float]]) -> Measure:
    return Measure(name, metric.format(k=10), (metric,), _objective, combined, lambda beside: beside.mix)


def _built(name: str, sources: tuple[str, ...], combined: Callable[[_ByTrial], Sequence[float]]) -> Measure:
    return Measure(name, sources[-1], sources, _index, combined, lambda beside: beside.data)


def _of_filter(name: str) -> Measure:
    def groups(run: ComparedRun, engine: str) -> list[TrialGroup]:
        return [group for group in _objective(run, engine) if group.filter == name]

    metric = "throughput_qps"
    return Measure(
        f"Throughput, filter {name}", metric, (metric,), groups, _first, lambda beside: name in beside.filters
    )


def _objective(run: ComparedRun, engine: str) -> list[TrialGroup]:
    """The searches that are compared, one group a filter, at the setting that is shown."""
    return run.evidence.cells.objective(run.shown[engine].configuration) if engine in run.shown else []


def _index(run: ComparedRun, engine: str) -> list[TrialGroup]:
    return (
        run.evidence.cells.build(run.shown[engine].configuration, "index")[:1] if engine in run.shown else []
    )


def _first(values: _ByTrial) -> Sequence[float]:
    return list(values[0].values())


def _sum(values: _ByTrial) -> Sequence[float]:
    trials = set.intersection(*(set(each) for each in values))
    return [sum(each[trial] for each in values) for trial in sorted(trials)]


def _worst(values: _ByTrial, worst: Callable[..., Mapping[int, float]]) -> Sequence[float]:
    """Those of the filter whose mean over trials is worst; none where a filter has no value."""
    if not all(values):
        return ()
    return list(worst(values, key=lambda each: fmean(each.values())).values())
