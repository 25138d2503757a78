"""Simulated runs whose true speeds are known: results as a scenario with two or more engines would leave them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.results.result import Measurement, RunResult


@dataclass(frozen=True, slots=True)
class World:
    """Engines with known speeds and a machine with known noise; all noise is on logarithms (0.05: 5 %).

    grids: how many settings each engine has. adapters: which adapter each is an entry of, by number; each of its own by
    default. ahead: by how much the entries of the first adapter are faster than all others. spread: how
    much slower each further setting of an engine is; 0 makes them equal, which tempts most to pick the luckiest. cell:
    noise of each window. session: of all windows of an engine in a trial (another build, another place in memory).
    trial: of all engines in a trial (a slow spell). run: of all engines in a run.
    """

    grids: tuple[int, ...] = (1, 1)
    adapters: tuple[int, ...] = ()
    ahead: float = 0.0
    spread: float = 0.0
    trials: int = 3
    filters: int = 2
    cell: float = 0.05
    session: float = 0.0
    trial: float = 0.0
    run: float = 0.05

    def adapter(self, engine: int) -> int:
        """The adapter that an engine is an entry of."""
        return self.adapters[engine] if self.adapters else engine


def true_rate(world: World, engine: int, setting: int) -> float:
    """Queries/s of a setting with any filter, without noise."""
    base = 1000.0 * (1 + world.ahead if world.adapter(engine) == 0 else 1.0)
    return float(base * np.exp(-world.spread * setting))


def simulated_run(world: World, rng: np.random.Generator) -> RunResult:
    """One run of this world, finished, with nothing wrong but the noise."""
    names = [f"engine-{number}" for number in range(len(world.grids))]
    run = rng.normal(0, world.run)
    trials = rng.normal(0, world.trial, world.trials)
    cells: list[Measurement] = []
    for number, count in enumerate(world.grids):
        sessions = rng.normal(0, world.session, world.trials)
        noise = rng.normal(0, world.cell, (world.trials, count, world.filters))
        for trial in range(world.trials):
            shared = run + trials[trial] + sessions[trial]
            for setting, name in np.ndindex(count, world.filters):
                rate = true_rate(world, number, setting) * np.exp(shared + noise[trial, setting, name])
                cell = _cell(names[number], trial, setting, name, float(rate))
                cells.append(cell.model_copy(update={"adapter": f"adapter-{world.adapter(number)}"}))
    return _result(world, names, cells)


def mean_rate(world: World, engine: int, setting: int) -> float:
    """What many windows of many runs would show on average: noise on logarithms raises a mean a little."""
    variance = world.cell**2 + world.session**2 + world.trial**2 + world.run**2
    return float(true_rate(world, engine, setting) * np.exp(variance / 2))


def _cell(engine: str, trial: int, setting: int, name: int, rate: float) -> Measurement:
    load = {"executor": "closed_loop", "clients": 1, "processes": 1, "rate": None}
    counts = dict.fromkeys(("violations", "ghosts", "duplicates", "short_results", "errors", "timeouts"), 0.0)
    figures = {"recall_at_10": 0.99, "recall_sd": 0.05, "throughput_qps": rate, "queries": 1000.0}
    return Measurement(
        engine=engine,
        adapter=engine,
        task="throughput",
        kind="search",
        filter=f"filter-{name}",
        executor="closed_loop",
        params={"index": {}, "search": {"ef": setting}, "load": load},
        trial=trial,
        metrics=counts | figures,
    )


def _result(world: World, names: list[str], cells: list[Measurement]) -> RunResult:
    scenario: dict[str, Any] = {
        "name": "simulated",
        "k": 10,
        "seed": 0,
        "trials": world.trials,
        "engines": [{"engine": name, "label": name} for name in names],
        "decision": {"requirements": ["recall >= 0.95"]},
    }
    return RunResult(
        name="simulated",
        started_at="2026-01-01T00:00:00+00:00",
        finished_at="2026-01-01T00:01:00+00:00",
        environment={},
        dataset={"name": "simulated", "queries": 1000},
        scenario=scenario,
        engines={name: {"version": "1"} for name in names},
        measurements=cells,
    )
