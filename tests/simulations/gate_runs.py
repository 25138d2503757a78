"""Made-up runs for the gate whose noise, differences between runs and true changes are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.results.metrics import COUNTS, spec
from harness.results.result import Measurement, RunResult
from reports.gate.matching import MatchedCells, matched

# By metric: a usual value, and the noise of a trial (standard deviation of logarithms; of recall as it is).
FIGURES = {
    "recall_at_10": (0.96, 0.0005),
    "throughput_qps": (1000.0, 0.03),
    "latency_p50_ms": (1.0, 0.03),
    "latency_p99_ms": (3.0, 0.08),
    "cpu_s_per_1000": (1.0, 0.02),
}
_REQUESTS = 2000.0
_TIMEOUTS = 0.002  # of the requests, before and after


@dataclass(frozen=True, slots=True)
class Shape:
    """How large runs are. Each engine has every setting with every filter; so many comparisons cell by cell."""

    engines: int = 3
    settings: int = 2
    filters: int = 5
    trials: int = 3
    baselines: int = 1

    @property
    def comparisons(self) -> int:
        return self.engines * self.settings * self.filters * len(FIGURES)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of simulated runs.

    offset: the standard deviation by which whole runs differ, drawn anew for each run, engine or figure
    (offset_of). noise: by which factor the trials are noisier than usual, and current_noise those of the current run on
    top. better: by how much every other engine but the first became faster. worse: by how much the first engine became
    slower, in one figure, in one metric, or as a whole (scope).
    """

    offset: float = 0.05
    offset_of: Literal["run", "engine", "figure"] = "engine"
    noise: float = 1.0
    current_noise: float = 1.0
    better: float = 0.0
    worse: float = 0.0
    scope: Literal["one figure", "one metric", "engine"] = "engine"


def simulated(shape: Shape, truth: Truth, count: int, seed: int) -> Iterator[MatchedCells]:
    """`count` comparisons of a current run with its baselines, as the gate sees them once cells are matched."""
    rng = np.random.default_rng(seed)
    cells = matched([_run(shape, number) for number in range(shape.baselines + 1)])
    for _ in range(count):
        yield replace(cells, cells=_drawn(cells.cells, shape, truth, rng))


def _run(shape: Shape, number: int) -> RunResult:
    """A run whose values do not matter yet."""
    blank = {**dict.fromkeys(FIGURES, 1.0), **dict.fromkeys(COUNTS, 0.0), "queries": _REQUESTS}
    sizes = (shape.trials, shape.engines, shape.settings, shape.filters)
    cells = [
        Measurement(
            engine=f"engine-{engine}",
            adapter="made-up",
            task="throughput",
            kind="search",
            filter=f"filter-{name}",
            executor="closed_loop",
            params={"index": {}, "search": {"ef": 2**setting}, "load": {"clients": 1}},
            trial=trial,
            metrics=blank,
        )
        for trial, engine, setting, name in np.ndindex(*sizes)
    ]
    return RunResult(
        name=f"run-{number}",
        started_at="2026-01-01T00:00:00+00:00",
        environment={},
        dataset={},
        scenario={"k": 10},
        measurements=cells,
    )


def _drawn(frame: pd.DataFrame, shape: Shape, truth: Truth, rng: np.random.Generator) -> pd.DataFrame:
    """The frame with values drawn anew."""
    run, key = frame["run"].to_numpy(), frame["key"].to_numpy()
    engine = frame["engine"].str.removeprefix("engine-").to_numpy(dtype=np.int64)
    current = run == shape.baselines
    noise = truth.noise * np.where(current, truth.current_noise, 1.0)
    # What a trial of a cell was disturbed by shows in all of its figures.
    common = rng.normal(size=len(frame))
    columns: dict[str, npt.NDArray[np.float64]] = {}
    shared = rng.normal(0, truth.offset, (shape.baselines + 1, shape.engines))
    for number, (metric, (usual, deviation)) in enumerate(FIGURES.items()):
        own = rng.normal(size=len(frame))
        slower = noise * deviation * (0.8 * common + 0.6 * own)
        if spec(metric).timed:
            offsets = {
                "run": shared[run, 0],
                "engine": shared[run, engine],
                "figure": rng.normal(0, truth.offset, (shape.baselines + 1, key.max() + 1))[run, key],
            }
            slower += offsets[truth.offset_of]
            slower -= np.log1p(truth.better) * (current & (engine > 0))
            slower -= np.log1p(-truth.worse) * (current & _affected(truth, engine, key, number))
        sign = -1.0 if spec(metric).better == "higher" else 1.0
        factor = np.exp(sign * slower)
        columns[metric] = usual * factor if spec(metric).timed else usual - slower
    columns["timeouts"] = rng.poisson(_REQUESTS * _TIMEOUTS, len(frame)).astype(np.float64)
    return frame.assign(**columns)


def _affected(
    truth: Truth, engine: npt.NDArray[np.int64], key: npt.NDArray[np.int64], number: int
) -> npt.NDArray[np.bool_]:
    """Where the first engine became slower: `number` counts the figures of a cell, throughput is the second."""
    if truth.scope == "engine":
        return engine == 0
    return ((engine == 0) if truth.scope == "one metric" else (key == 0)) & (number == 1)
