"""What one setting adds to the latency of another that it has behind it, such as a service to its engine.

Which settings these are is told by their parameters: the index parameters of the outer one name the adapter of the
inner one as `engine`, and its parameters as `index` and `search`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.results.frame import canonical
from harness.results.stats import Interval, mean_interval
from reports.decide.cells import Cells, Configuration
from reports.decide.groups import TrialGroup

METRICS = ("latency_p50_ms", "latency_p99_ms")


@dataclass(frozen=True, slots=True)
class Added:
    """A pair under one offered rate and one filter.

    place: which, as text. differences: outer less inner by metric, the mean over the trials that both have, with
    Student's interval; trials of one number ran one after the other on the same data, and so are paired.
    """

    outer: Configuration
    inner: Configuration
    place: str
    trials: int
    differences: Mapping[str, Interval]


def added(cells: Cells) -> list[Added]:
    """Every pair under every offered rate that both were measured at, in the order of the run."""
    settings = list(dict.fromkeys(cells.configurations))
    known: dict[tuple[str, str, str], Configuration] = {}
    for one in settings:
        known.setdefault((one.adapter, one.index_json, one.search_json), one)
    found: list[Added] = []
    for outer in settings:
        inner = known.get(_behind(outer))
        if inner is not None:
            found += _compared(cells, outer, inner)
    return found


def _behind(outer: Configuration) -> tuple[str, str, str]:
    """Adapter, index and search of the setting that another one names."""
    named = outer.index
    index, search = (canonical(named[part]) if part in named else "{}" for part in ("index", "search"))
    return str(named.get("engine", "")), index, search


def _compared(cells: Cells, outer: Configuration, inner: Configuration) -> Iterator[Added]:
    bare = _offered(cells, inner)
    for load, group in _offered(cells, outer).items():
        if load not in bare:
            continue
        differences, trials = {}, 0
        for metric in METRICS:
            ours, theirs = group.values(metric), bare[load].values(metric)
            both = sorted(ours.keys() & theirs.keys())
            if both:
                differences[metric] = mean_interval([ours[trial] - theirs[trial] for trial in both])
                trials = max(trials, len(both))
        if differences:
            yield Added(outer, inner, group.place, trials, differences)


def _offered(cells: Cells, setting: Configuration) -> dict[tuple[str, str, str], TrialGroup]:
    """The groups of a setting with an offered rate, by task, filter and load."""
    loads = cells.frame["load"]
    return {
        (group.task, group.filter, str(loads.iloc[group.rows[0]])): group
        for group in cells.search(setting)
        if group.executor == "arrival_rate"
    }
