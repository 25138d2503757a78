"""Clients that were the limit: what such a figure still shows of a leader, and what it leaves open of a rival."""

from __future__ import annotations

from typing import Any

import pytest

from harness.results.result import Measurement, RunResult
from reports.decide.decision import Decision, decide
from tests.unit.example_results import build, edit, with_metrics

FAST, SLOW, SLOWEST = 5000.0, 2500.0, 1250.0
RECALL = ("recall >= 0.95",)
QUICK = (*RECALL, "latency.p50 < 0.3ms")  # which FAST meets and SLOW does not


def run(
    bound: tuple[str, ...] = (),
    poor: tuple[str, ...] = (),
    speeds: tuple[float, ...] = (FAST, SLOW),
    **options: Any,
) -> RunResult:
    """Engines a, b, ... of these speeds on a machine with two cores; `bound` ones by their clients in one trial, `poor`
    ones with a low recall.
    """
    engines = {
        name: (name, {}, {}, speed, 0.5 if name in poor else 0.99)
        for name, speed in zip("abc", speeds, strict=False)
    }
    options = {"requirements": RECALL, "arrivals": False, "filters": {"none": 1.0}} | options

    def alter(cell: Measurement) -> Measurement:
        if cell.kind != "search":
            return cell
        cell = with_metrics(cell, client_cpu_s_per_1000=0.2)
        limited = cell.engine in bound and cell.trial == 1
        return cell.model_copy(update={"flags": ["client-bound 93 %"]}) if limited else cell

    return edit(build(engines=engines, **options), alter)


def noted(decision: Decision) -> bool:
    return any("its throughput is at least what is shown" in text for text in decision.caveats)


def test_without_the_flag_the_faster_engine_is_picked() -> None:
    decision = decide(run())
    assert decision.pick is not None and decision.pick.engine == "a"
    assert not noted(decision)


@pytest.mark.parametrize("poor", [(), ("b",)], ids=["ahead of another", "alone"])
def test_a_leader_is_at_least_as_fast_as_its_clients_let_it_be(poor: tuple[str, ...]) -> None:
    decision = decide(run(("a",), poor))
    assert decision.pick is not None and decision.pick.engine == "a"
    assert (decision.runner_up is None) == bool(poor)
    assert noted(decision)


def test_a_rival_may_be_faster_than_its_clients_let_it_be() -> None:
    decision = decide(run(("b",)))
    assert decision.verdict == "no decision"
    assert "in 1 of the cells behind b the clients" in decision.sentence
    assert "may be faster than shown" in decision.sentence


def test_so_may_one_that_is_third() -> None:
    speeds = (FAST, SLOW, SLOWEST * 2.1)
    assert decide(run(speeds=speeds)).verdict == "pick"
    decision = decide(run(("c",), speeds=(FAST, SLOW * 1.2, SLOW)))
    assert decision.verdict == "no decision"
    assert [text for text in decision.reasons if "behind c" in text]


def test_what_a_rival_misses_otherwise_keeps_it_out() -> None:
    assert decide(run(("b",), poor=("b",))).verdict == "pick"
    assert decide(run(("b",), poor=("b",), requirements=QUICK)).verdict == "pick"


def test_a_recall_that_is_too_close_to_call_does_not() -> None:
    def alter(cell: Measurement) -> Measurement:
        if cell.kind != "search" or cell.engine != "b":
            return cell
        few = {"queries": 40.0, "judged_queries": 40.0, "distinct_queries": 40.0}
        return with_metrics(cell, recall_at_10=0.94, recall_sd=0.1, **few)

    assert decide(edit(run(), alter)).verdict == "pick"
    decision = decide(edit(run(("b",)), alter))
    assert decision.verdict == "no decision"
    assert "it may meet recall >= 0.95 and be faster than shown" in decision.sentence


def test_what_was_not_measured_of_a_rival_keeps_it_out() -> None:
    def alter(cell: Measurement) -> Measurement:
        if cell.kind != "search":
            return cell
        if cell.engine == "a":
            return with_metrics(cell, latency_p999_ms=1.0)
        return with_metrics(cell, {"latency_p999_ms": "too few requests"}, latency_p999_ms=None)

    asked = (*RECALL, "latency.p999 < 100ms")
    assert decide(edit(run(("b",), requirements=asked), alter)).verdict == "pick"


def test_a_latency_that_busy_clients_make_worse_does_not() -> None:
    assert decide(run(requirements=QUICK)).verdict == "pick"
    decision = decide(run(("b",), requirements=QUICK))
    assert decision.verdict == "no decision"
    assert "it may meet latency.p50 < 0.3ms and be faster than shown" in decision.sentence
    assert decide(run(("a",), requirements=QUICK)).verdict == "pick"


def test_a_rival_whose_own_cpu_time_keeps_it_behind_is_out_of_reach() -> None:
    """SLOWEST takes 0.8 ms of server CPU a query, so two cores cannot make more than 2,500 a second of it."""
    far = run(("b",), speeds=(FAST, SLOWEST))
    assert decide(far).verdict == "pick"
    near = edit(far, lambda c: with_metrics(c, cpu_s_per_1000=0.3) if c.kind == "search" else c)
    assert decide(near).verdict == "no decision"
    unknown = edit(far, lambda c: with_metrics(c, client_cpu_s_per_1000=None) if c.kind == "search" else c)
    assert decide(unknown).verdict == "no decision"


def test_between_two_that_are_bound_the_clients_are_compared() -> None:
    decision = decide(run(("a", "b")))
    assert decision.verdict == "no decision"
    assert "the figures compare clients, not engines" in decision.sentence
    assert len(decision.reasons) == 1


def test_the_cost_of_a_query_is_no_lower_bound() -> None:
    objective = "min cpu_s_per_1000"
    assert decide(run(objective=objective)).verdict == "pick"
    assert decide(run(("a",), objective=objective)).verdict == "no decision"
    assert decide(run(("b",), objective=objective)).verdict == "no decision"
    assert decide(run(("a",), poor=("b",), objective=objective)).verdict == "pick"


def test_an_only_candidate_has_the_note_as_well() -> None:
    decision = decide(run(("a",), speeds=(FAST,)))
    assert decision.verdict == "only candidate"
    assert noted(decision)
