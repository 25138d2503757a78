"""Load up to an engine's limit and beyond: rates are shares of what its closed loop reached."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from engines.base import Hits
from engines.bruteforce.adapter import BruteForce
from harness.errors import MeasurementError
from harness.results.result import Measurement
from harness.scenario.cells import PlannedCell
from harness.tasks.bench import Bench
from harness.tasks.operating_point import capacity
from tests.unit.tasks.benches import bench_of, measure

LOAD = {"executor": "saturation", "clients": 1, "arrivals": "constant"}


class FiveMilliseconds(BruteForce):
    """Answers at most 200 queries a second from one client."""

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        time.sleep(0.005)
        return super().query(vector, k, where, exact=exact)


def ready(tmp_path: Path, share: float) -> Bench:
    """An engine after its closed loop of 200/s, and a task that offers a share of that."""
    closed = {"task": "search", "name": "closed", "duration_s": 0.1}
    bench = bench_of(tmp_path, FiveMilliseconds, closed)
    tasks = {
        "task": "search", "name": "saturation", "executor": "saturation", "shares": share, "arrivals": "constant",
        "duration_s": 1.0, "warmup_s": 0,
    }  # fmt: skip
    spec = bench.scenario.model_dump()
    spec["tasks"] = [*spec["tasks"], tasks]
    bench.scenario = type(bench.scenario).model_validate(spec)
    bench.engine.create(bench.corpus.dataset.schema)
    bench.engine.index(bench.items.batch(bench.items.alive.nonzero()[0]))
    bench.measured = [loop(150.0), loop(200.0)]
    return bench


def loop(rate: float, **changes: Any) -> Measurement:
    values: dict[str, Any] = {
        "engine": "engine", "adapter": "bruteforce", "task": "closed", "kind": "search", "filter": "none",
        "executor": "closed_loop", "params": {"index": {}, "search": {}}, "metrics": {"throughput_qps": rate},
    }  # fmt: skip
    return Measurement.model_validate(values | changes)


def test_an_engine_keeps_up_below_its_limit(tmp_path: Path) -> None:
    cell = measure(ready(tmp_path, 0.25), "saturation")
    assert cell.params["load"] == LOAD | {"share": 0.25}
    assert cell.metrics["offered_qps"] == pytest.approx(50, rel=0.1)
    served = cell.metrics["throughput_qps"]
    assert served is not None
    assert served >= 45


def test_an_engine_that_falls_behind_costs_no_more_than_its_window(tmp_path: Path) -> None:
    bench = ready(tmp_path, 10.0)
    began = time.monotonic()
    cell = measure(bench, "saturation")
    assert time.monotonic() - began < 10  # 2,000 queries of 5 ms take ten seconds
    assert cell.metrics["offered_qps"] == pytest.approx(2000, rel=0.05)
    served, lost = cell.metrics["throughput_qps"], cell.metrics["timeouts"]
    assert served is not None
    assert lost is not None
    assert served < 250
    assert lost > 1000


@pytest.mark.parametrize(
    "wrong",
    [
        {"filter": "third"},
        {"executor": "arrival_rate"},
        {"error": "it broke"},
        {"trial": 1},
        {"params": {"index": {}, "search": {"ef": 5}}},
        {"metrics": {"throughput_qps": None}},
    ],
)
def test_shares_of_nothing_are_an_error(tmp_path: Path, wrong: dict[str, Any]) -> None:
    bench, cell = ready(tmp_path, 0.5), PlannedCell("saturation", "search", search={}, load=LOAD)
    assert capacity(bench, cell) == 200
    bench.measured = [loop(200.0, **wrong)]
    with pytest.raises(
        MeasurementError, match="no closed loop of this trial has a throughput with filter none"
    ):
        capacity(bench, cell)
