"""The rates that `make simulate` prints, on fewer runs: false alarms are rare, and large losses are noticed."""

from __future__ import annotations

from dataclasses import replace

from tests.simulations.gate_rates import SMALL, Case, false_alarm_cases, outcomes, power_cases
from tests.simulations.gate_runs import Truth


def test_runs_that_differ_by_chance_rarely_fail() -> None:
    for case in (
        Case("", SMALL, Truth()),
        Case("", SMALL, Truth(better=0.5)),
        Case("", SMALL, Truth(offset_of="run")),
    ):
        assert outcomes(case, 40)["failed"] <= 2


def test_without_the_offset_between_runs_in_the_noise_they_do_fail() -> None:
    """What the simulation is there for: a gate that trusts its trials alone takes each run's luck for a change."""
    case = Case("", replace(SMALL, trials=5), Truth())
    assert outcomes(case, 40, offset=0.0)["failed"] > 2


def test_an_engine_half_as_fast_is_noticed_and_a_fifth_more_often_with_more_baselines() -> None:
    assert outcomes(Case("", SMALL, Truth(worse=0.5)), 20)["failed"] == 20
    one, five = (
        outcomes(Case("", replace(SMALL, baselines=count), Truth(worse=0.3)), 40)["failed"]
        for count in (1, 5)
    )
    assert 10 < one < five


def test_the_printed_cases_are_what_was_promised() -> None:
    shapes = {(case.shape.comparisons, case.shape.trials, case.truth.better) for case in false_alarm_cases()}
    assert {(n, trials, better) for n in (30, 150) for trials in (3, 5) for better in (0.0, 0.5)} <= shapes
    assert {(case.truth.scope, case.truth.worse) for case in power_cases()} == {
        (scope, loss)
        for scope in ("one figure", "one metric", "engine")
        for loss in (0.1, 0.15, 0.2, 0.3, 0.5)
    }
