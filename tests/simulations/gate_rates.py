"""How often the gate fails although nothing became worse, and how often it notices what did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from reports.gate.compare import RUN_OFFSET
from reports.gate.counts import judge_counts
from reports.gate.findings import GateReport
from reports.gate.judging import judge_figures
from reports.gate.matching import MatchedCells
from reports.gate.presence import presence_findings
from reports.gate.tolerance import tolerances
from tests.simulations.gate_runs import Shape, Truth, simulated
from tests.simulations.workers import workers

SMALL, LARGE = Shape(engines=2, settings=1, filters=3), Shape()
RUNS = 400
MOST_FALSE_ALARMS = 0.025


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of runs, described in a few words."""

    name: str
    shape: Shape
    truth: Truth


def report_of(cells: MatchedCells, tolerance: float = 0.1, offset: float = RUN_OFFSET) -> GateReport:
    """What the gate says of these cells; there are no requirements."""
    presence, comparable = presence_findings(cells)
    accepted = tolerances(tolerance)
    figures = judge_figures(cells, comparable, accepted, offset, 10)
    found = (*presence, *judge_counts(cells, comparable, accepted), *figures.findings)
    return GateReport(("baseline",), "current", found)


def outcomes(case: Case, count: int = RUNS, seed: int = 0, offset: float = RUN_OFFSET) -> Counter[str]:
    """How many of `count` gates failed, passed, and were inconclusive."""
    runs = simulated(case.shape, case.truth, count, seed)
    return Counter(report_of(cells, offset=offset).outcome for cells in runs)


def false_alarm_cases() -> list[Case]:
    """Nothing is worse: with and without improvements elsewhere, for 3 and 5 trials, by size, kind of offset, and
    with several baselines; and every engine worse by exactly the tolerance.
    """
    found = [
        Case(
            f"{_size(shape)}, {trials} trials, {'others 50 % faster' if better else 'nothing changed'}",
            replace(shape, trials=trials),
            Truth(better=better),
        )
        for shape, trials, better in product((SMALL, LARGE), (3, 5), (0.0, 0.5))
    ]
    found += [
        Case(f"{_size(LARGE)}, an offset for each {of}", LARGE, Truth(offset_of=of))
        for of in ("run", "figure")
    ]
    found += [
        Case(f"{_size(LARGE)}, {count} baselines", replace(LARGE, baselines=count), Truth())
        for count in (2, 5)
    ]
    found += [
        Case(f"{_size(LARGE)}, five times the noise", LARGE, Truth(noise=5.0)),
        Case(f"{_size(LARGE)}, current run three times as noisy", LARGE, Truth(current_noise=3.0)),
        Case(f"{_size(LARGE)}, 5 baselines that differ by twice what was stated", replace(LARGE, baselines=5),
             Truth(offset=2 * RUN_OFFSET)),
        Case(f"{_size(SMALL)}, one trial", replace(SMALL, trials=1), Truth()),
        Case(f"{_size(LARGE)}, an engine worse by just the tolerance", LARGE, Truth(worse=0.1)),
    ]  # fmt: skip
    return found


def power_cases() -> list[Case]:
    """The first engine became slower, in one figure of one cell, one metric of all its cells, or as a whole."""
    losses = (0.1, 0.15, 0.2, 0.3, 0.5)
    return [
        Case(f"{_size(LARGE)}, {count} baselines: {scope} {loss:.0%} worse", replace(LARGE, baselines=count),
             Truth(worse=loss, scope=scope))
        for count, scope, loss in product((1, 5), ("one figure", "one metric", "engine"), losses)
    ]  # fmt: skip


def _size(shape: Shape) -> str:
    return f"{shape.comparisons} comparisons"


def rates(count: int = RUNS) -> Iterator[dict[str, Any]]:
    """All of the above, as they are done; two processes share the work."""
    cases = [(case, "false alarms") for case in false_alarm_cases()]
    cases += [(case, "noticed") for case in power_cases()]
    with workers() as processes:
        jobs = [(case, what, processes.submit(outcomes, case, count)) for case, what in cases]
        for case, what, job in jobs:
            found = job.result()
            shares = {name: found[name] / count for name in ("failed", "inconclusive")}
            yield {"name": case.name, "what": what, "runs": count, **shares}


def main(count: int = RUNS) -> bool:
    """Prints the rates; true where false alarms are as rare as promised."""
    print(f"The gate: tolerance 10 %, {RUN_OFFSET:.0%} between runs, {count} gates a line")
    print(f"{'':14} {'failed':>8} {'inconclusive':>13}")
    good = True
    for row in rates(count):
        shares = f"{row['failed']:8.1%} {row['inconclusive']:13.1%}"
        print(f"{row['what']:14} {shares}  {row['name']}", flush=True)
        good &= row["what"] != "false alarms" or row["failed"] <= MOST_FALSE_ALARMS
    return good
