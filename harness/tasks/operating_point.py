"""The operating point: the setting at which an engine is measured where only one setting is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.errors import MeasurementError
from harness.results.result import Measurement
from harness.scenario.cells import Params, PlannedCell
from harness.tasks.bench import Bench


def choose(bench: Bench) -> Params:
    """The operating point by the closed loops of this session so far; the first setting where there are none."""
    session, k, mine = bench.session, bench.scenario.k, _closed_loops(bench)
    recall = ("recall", f"recall_at_{k}")
    decision = bench.scenario.decision
    floor = max((limit.limit for limit in decision.thresholds if limit.metric in recall), default=0.0)
    return fastest(mine, floor, k, decision.weights) or session.searches[0]


def capacity(bench: Bench, cell: PlannedCell) -> float:
    """Queries a second with the cell's filter and setting: the most that a closed loop of this session reached.

    Raises MeasurementError where none was measured.
    """
    rates = [
        rate
        for loop in _closed_loops(bench)
        if (loop.filter, loop.params["search"]) == (cell.filter, cell.search)
        and (rate := loop.metrics.get("throughput_qps"))
    ]
    if not rates:
        raise MeasurementError(
            f"no closed loop of this trial has a throughput with filter {cell.filter} at this setting, so there is "
            "nothing to take shares of"
        )
    return max(rates)


def _closed_loops(bench: Bench) -> list[Measurement]:
    session = bench.session
    return [
        cell
        for cell in bench.measured
        if cell.executor == "closed_loop"
        and cell.error is None
        and (cell.engine, cell.trial, cell.params.get("index"))
        == (session.label, session.trial, session.index)
    ]


def fastest(
    cells: Iterable[Measurement], floor: float, k: int, weights: Mapping[str, float] | None = None
) -> Params | None:
    """The search parameters with the highest throughput (harmonic mean over the filters) among those whose
    recall reached `floor` on every filter; failing that, those of the highest worst recall. None without cells.

    weights: of the filters in the mix, by name; equal by default, and where none of those measured has one.
    """
    by_params: dict[str, list[Measurement]] = {}
    for cell in cells:
        by_params.setdefault(repr(sorted(cell.params["search"].items())), []).append(cell)
    scored = []
    for group in by_params.values():
        recall = min(cell.metrics.get(f"recall_at_{k}") or 0.0 for cell in group)
        qps = _mixed([(cell.metrics.get("throughput_qps") or 0.0, cell.filter) for cell in group], weights)
        scored.append((recall >= floor, qps if recall >= floor else recall, group[0].params["search"]))
    return max(scored, key=lambda entry: entry[:2])[2] if scored else None


def _mixed(rates: Sequence[tuple[float, str]], weights: Mapping[str, float] | None) -> float:
    """The rate of a mix of filters, given the rate with each."""
    asked = [(rate, 1.0 if weights is None else weights.get(name, 0.0)) for rate, name in rates]
    asked = [(rate, weight) for rate, weight in asked if weight] or [(rate, 1.0) for rate, _ in rates]
    if min(rate for rate, _ in asked) <= 0:
        return 0.0
    return sum(weight for _, weight in asked) / sum(weight / rate for rate, weight in asked)
