"""Throughput as runs tell it."""

from __future__ import annotations

from typing import Any

import pytest

from harness.results.result import Measurement, RunResult
from models.dimensions.throughput import Throughput, ratio, throughputs

ENGINES: list[dict[str, Any]] = [
    {"engine": "fast", "search": {"ef": [1, 2]}},
    {"engine": "fast", "label": "fast-int8", "index": {"quantization": "scalar"}, "search": {"ef": [1]}},
    {"engine": "slow"},
]


def cell(engine: str, trial: int, qps: float, recall: float, **search: int) -> Measurement:
    index = {"quantization": "scalar"} if engine.endswith("-int8") else {}
    metrics: dict[str, float | None] = {
        "recall_at_10": recall,
        "throughput_qps": qps,
        "violations": 0.0,
        "errors": 0.0,
        "queries": 500.0,
        "distinct_queries": 400.0,
    }
    return Measurement(
        engine=engine,
        adapter=engine.removesuffix("-int8"),
        task="throughput",
        kind="search",
        executor="closed_loop",
        params={"index": index, "search": search, "load": {"executor": "closed_loop", "clients": 1}},
        trial=trial,
        metrics=metrics,
    )


def result(*cells: Measurement) -> RunResult:
    scenario = {
        "k": 10,
        "trials": 3,
        "engines": ENGINES,
        "filters": [{"name": "none"}],
        "tasks": [
            {"task": "index"},
            {"task": "search", "name": "throughput", "executor": "closed_loop", "clients": 1},
        ],
        "decision": {"requirements": ["recall >= 0.95"]},
    }
    return RunResult(
        name="made",
        started_at="2026-01-01T00:00:00+00:00",
        environment={},
        dataset={"name": "made"},
        scenario=scenario,
        measurements=list(cells),
    )


def three(engine: str, qps: float, recall: float, **search: int) -> list[Measurement]:
    return [cell(engine, trial, qps + trial, recall, **search) for trial in range(3)]


def found() -> dict[tuple[str, str], Throughput]:
    made = result(
        *three("fast", 900, 0.7, ef=1),
        *three("fast", 500, 0.99, ef=2),
        *three("fast-int8", 800, 0.97, ef=1),
        *three("slow", 2000, 0.5),
    )
    return {(one.engine, one.precision): one for one in throughputs(made)}


def test_the_fastest_setting_with_the_recall_counts() -> None:
    """Not the one that is faster with a recall of 0.7."""
    fast = found()["fast", "float32"]
    assert fast.search == {"ef": 2}
    assert fast.by_trial == pytest.approx((500, 501, 502))
    assert fast.recall == pytest.approx(0.99)
    assert fast.qps is not None
    assert fast.qps.estimate == pytest.approx(501)
    assert fast.missing == ""


def test_int8_stands_beside_the_engine_that_it_is_of() -> None:
    both = found()
    compared = ratio(both["fast", "float32"], both["fast", "int8"])
    assert compared is not None
    assert compared.change == pytest.approx(801 / 501, rel=1e-3)
    assert compared.low is not None
    assert compared.low > 1
    assert ratio(both["fast", "float32"], both["fast", "float32"]) is None


def test_what_was_not_measured_says_why() -> None:
    both = found()
    assert list(both) == [
        ("fast", "float32"),
        ("fast", "int8"),
        ("slow", "float32"),
        ("slow", "int8"),
    ]
    slow = both["slow", "float32"]
    assert (slow.qps, slow.by_trial) == (None, ())
    assert "recall@10 is 0.500" in slow.missing
    assert both["slow", "int8"].missing == "the scenario has no engine labelled slow-int8"
    assert ratio(slow, both["fast", "int8"]) is None
