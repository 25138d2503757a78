"""Which figures of two runs can be compared."""

from __future__ import annotations

from typing import Any

import pytest

from harness.results.result import RunResult
from reports.comparison.obstacles import Comparable, comparable
from reports.comparison.runs import compared_runs
from tests.unit.example_results import ENGINES, FILTERS, build

ONE = {"milvus": ENGINES["milvus"]}
RUN = build(engines=ONE, trials=1)
EVERYTHING = frozenset(FILTERS)


def beside(*results: RunResult) -> Comparable:
    return comparable(compared_runs([("", result) for result in results]))[-1]


def changed(part: str, **change: Any) -> RunResult:
    return RUN.model_copy(update={part: getattr(RUN, part) | change})


def test_another_machine_version_or_load_is_no_obstacle() -> None:
    other = build(engines=ONE, trials=3, seed=9)
    other.environment["cpu"] = "Xeon"
    other.engines["milvus"]["version"] = "3"
    assert beside(RUN, other) == Comparable(True, True, EVERYTHING, "")
    assert beside(RUN) == Comparable(True, True, EVERYTHING, "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "other"}, "name other and fashion-mnist"),
        ({"rows": 5, "metric": "ip"}, "rows 5 and 20000; metric ip and l2"),
        ({"fingerprint": "x"}, "the same name, other content"),
        (
            {"model": {"name": "m", "version": "1", "hash": "f" * 40}},
            "vectors of m@1#ffffffffffff and no named model",
        ),
    ],
    ids=str,
)
def test_of_other_data_nothing_can(change: dict[str, Any], said: str) -> None:
    found = beside(RUN, changed("dataset", **change))
    assert (found.data, found.mix, found.filters) == (False, False, frozenset())
    assert said in found.sentence
    assert found.sentence.startswith("B and A have different data")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (changed("scenario", k=20), "asked for 20 and 10 hits"),
        (changed("dataset", queries=7), "asked 7 and 2000 queries"),
    ],
    ids=["k", "queries"],
)
def test_of_other_searches_only_what_is_built_can(other: RunResult, said: str) -> None:
    found = beside(RUN, other)
    assert (found.data, found.mix, found.filters) == (True, False, frozenset())
    assert said in found.sentence


def test_of_other_filters_those_that_are_the_same_can() -> None:
    fewer = build(engines=ONE, trials=1, filters={"none": 1.0, "1pct": 0.01})
    found = beside(RUN, fewer)
    assert (found.data, found.mix, found.filters) == (True, False, {"none", "1pct"})
    assert "different filters (10pct and brand)" in found.sentence
    wider = build(engines=ONE, trials=1, filters=FILTERS | {"brand": 0.3})  # the same name, other items
    assert beside(RUN, wider).filters == EVERYTHING - {"brand"}


def test_other_weights_make_another_mix() -> None:
    weighed = [
        changed("scenario", decision=RUN.scenario["decision"] | {"weights": {"none": n, "brand": 1.0}})
        for n in (5, 6)
    ]
    for pair in ((RUN, weighed[0]), weighed):
        found = beside(*pair)
        assert (found.mix, found.filters) == (False, EVERYTHING)
        assert "different weights of the filters" in found.sentence
    assert beside(weighed[0], weighed[0]).mix


def test_another_load_by_which_it_is_decided() -> None:
    offered = build(engines=ONE, trials=1, objective="min latency_p99_ms")
    found = beside(RUN, offered)
    assert not found.mix and not found.filters
    assert "B and A were measured under 500 queries/s and a closed loop" in found.sentence
    assert beside(offered, offered).mix
