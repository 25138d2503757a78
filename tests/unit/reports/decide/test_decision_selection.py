"""The choice among an engine's settings, judged by trials that did not make it."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from rich.console import Console

from harness.results.result import RunResult
from reports.decide.comparing.selection import LEVEL, Selection, compare, select
from reports.decide.decision import decide
from reports.decide.evidence import gather_evidence
from tests.simulations.decision_rates import rates
from tests.simulations.decision_runs import World, simulated_run
from tests.unit.example_results import build, edit, with_metrics
from tests.unit.reports.summaries import summary_of


def test_each_trial_is_judged_at_the_setting_that_the_others_choose() -> None:
    settings = [{0: 130.0, 1: 90.0, 2: 95.0}, {0: 100.0, 1: 104.0, 2: 103.0}]
    found = select(settings, maximise=True)
    # All three trials: 105 against 102.3. Without the first: 92.5 against 103.5; without the second or third the first.
    assert found.chosen == 0
    assert found.shown == settings[0]
    assert found.by_trial == {0: 100.0, 1: 90.0, 2: 95.0}
    assert not found.steady
    assert not found.clear
    assert found.score == pytest.approx(95.0)


def test_a_setting_that_is_best_in_every_trial_keeps_its_own_figures() -> None:
    settings = [{0: 100.0, 1: 104.0}, {0: 130.0, 1: 133.0}]
    assert select(settings, maximise=True) == Selection(1, settings[1], settings[1], True, True)
    assert select(settings, maximise=False).chosen == 0
    # Without the first or the second trial the first setting is best, in the third by itself it is not.
    close = select([{0: 110.0, 1: 112.0, 2: 99.0}, {0: 100.0, 1: 104.0, 2: 103.0}], maximise=True)
    assert (close.chosen, close.steady, close.clear) == (0, True, False)


def test_one_trial_leaves_nothing_to_judge_by() -> None:
    assert select([{0: 1.0}, {0: 2.0}], maximise=True) == Selection(1, {0: 2.0}, {0: 2.0}, True, True)


def test_settings_that_lack_a_trial_are_not_judged_by_it() -> None:
    """The second is best where it was measured, but trial 2 can be judged by the first alone."""
    settings = [{0: 100.0, 1: 100.0, 2: 100.0}, {0: 120.0, 1: 90.0}]
    found = select(settings, maximise=True)
    assert found.chosen == 1
    assert found.by_trial == {0: 100.0, 1: 90.0}


def test_a_comparison_gives_the_rival_the_benefit_of_the_doubt() -> None:
    """The interval reaches down to the comparison with the rival at the best that it showed."""
    leader = Selection(0, {0: 200.0, 1: 204.0, 2: 202.0}, {0: 200.0, 1: 204.0, 2: 202.0}, True, True)
    lucky = Selection(0, {0: 150.0, 1: 152.0, 2: 148.0}, {0: 171.0, 1: 170.0, 2: 172.0}, False, False)
    plain = Selection(0, lucky.by_trial, lucky.by_trial, True, True)
    doubtful, clear = compare(leader, lucky, maximise=True), compare(leader, plain, maximise=True)
    assert doubtful is not None
    assert clear is not None
    assert doubtful.change == clear.change == pytest.approx(202 / 150, rel=1e-3)
    assert doubtful.low is not None
    assert clear.low is not None
    assert doubtful.low < 202 / 171 < clear.low
    assert doubtful.level == LEVEL


def test_a_leader_whose_choice_hangs_on_one_trial_is_less_sure() -> None:
    values = {0: 200.0, 1: 210.0, 2: 205.0}
    rival = Selection(0, {0: 150.0, 1: 152.0, 2: 148.0}, {0: 150.0, 1: 152.0, 2: 148.0}, True, True)
    widths = []
    for steady in (True, False):
        found = compare(Selection(0, values, values, True, steady), rival, maximise=True)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        widths.append(found.high / found.low)
    assert widths[1] > 1.2 * widths[0] or widths[1] - 1 > 1.2 * (widths[0] - 1)


def test_costs_compare_the_other_way_round() -> None:
    cheap = Selection(0, {0: 1.0, 1: 1.02}, {0: 1.0, 1: 1.02}, True, True)
    dear = Selection(0, {0: 2.0, 1: 2.02}, {0: 2.0, 1: 2.02}, True, True)
    found = compare(cheap, dear, maximise=False)
    assert found is not None
    assert found.change == pytest.approx(2.0, rel=0.02)
    assert found.low is not None
    assert found.low > 1
    once = compare(
        Selection(0, {0: 1.0}, {0: 1.0}, True, True),
        Selection(0, {0: 2.0}, {0: 2.0}, True, True),
        maximise=False,
    )
    assert once is not None
    assert (once.change, once.low) == (2.0, None)
    assert compare(Selection(0, {0: 0.0}, {0: 0.0}, True, True), dear, maximise=False) is None


def lottery() -> RunResult:
    """Two equal engines, one with twenty equal settings, of which one was lucky and leads."""
    world = World(grids=(1, 20), trials=3, cell=0.1, run=0.0, filters=1)
    return simulated_run(world, np.random.default_rng(1))


def test_the_figure_shown_for_a_large_grid_is_not_that_of_its_luckiest_setting() -> None:
    evidence = gather_evidence(lottery())
    raw = max(c.score or 0.0 for c in evidence.of_engine("engine-1"))
    shown = next(c.score for c in evidence.ranking if c.configuration.engine == "engine-1")
    assert shown is not None
    assert shown < 0.97 * raw
    decision = decide(lottery())
    assert decision.verdict == "no decision"
    assert decision.leader is not None
    assert decision.leader.engine == "engine-1"


def test_a_figure_that_is_not_that_of_one_setting_is_explained() -> None:
    """In the report and in the terminal, whose table has the settings' own figures."""
    note = "is best differs between trials"
    for result, said in ((lottery(), True), (build(), False)):
        assert any(note in text for text in decide(result).caveats) == said
        console = Console(width=140, record=True, file=io.StringIO())
        console.print(summary_of(result, 140))
        assert (note in console.export_text()) == said


def test_equal_engines_are_rarely_told_apart_whatever_their_grids() -> None:
    """A short form of tests.simulations, which has the rates that are promised; picking by the best setting of each
    would be wrong in about one run of six here.
    """
    found = rates(World(grids=(1, 20), trials=5, cell=0.05, filters=1), 60)
    assert found.wrong <= 6 / 60
    assert abs(found.bias) < 0.03
    assert rates(World(grids=(3, 3), ahead=0.4, spread=0.2, trials=5, cell=0.03, filters=1), 10).right == 1.0


def test_a_close_rival_of_another_engine_than_the_runner_up_blocks_too() -> None:
    """The runner-up is far behind in figures but steady; the third is near enough in its noise."""
    rates_of = {"a": (100.0, 101.0, 100.0), "b": (80.0, 80.1, 80.2), "c": (50.0, 75.0, 110.0)}
    engines = {name: (name, {}, {}, 100.0, 1.0) for name in rates_of}
    result = edit(
        build(engines=engines, filters={"none": 1.0}, arrivals=False),
        lambda c: with_metrics(c, throughput_qps=rates_of[c.engine][c.trial]) if c.kind == "search" else c,
    )
    decision = decide(result)
    assert decision.verdict == "no decision"
    assert "its lead over c is within the noise" in decision.sentence
    (cost,) = [text for text in decision.caveats if "another engine may be up to" in text]
    assert re.search(r"up to [\d.]+ times better", cost), cost


def test_an_engine_that_few_queries_leave_open_is_not_passed_over() -> None:
    """Its recall of 0.5 rests on five queries and it is three times as fast: who knows."""
    engines = {"fast": ("x", {}, {}, 3000.0, 1.0), "slow": ("y", {}, {}, 1000.0, 1.0)}
    result = edit(
        build(engines=engines, filters={"none": 1.0}, arrivals=False),
        lambda c: (
            with_metrics(c, recall_at_10=0.5, queries=5.0) if c.engine == "fast" and c.kind == "search" else c
        ),
    )
    decision = decide(result)
    assert decision.leader is not None
    assert decision.leader.engine == "slow"
    assert decision.verdict == "no decision"
    assert "comes first in only 0 % of the resamples" in decision.sentence


def test_clients_that_were_the_limit_on_both_sides_are_named_as_such() -> None:
    result = edit(
        build(engines={name: (name, {}, {}, rate, 1.0) for name, rate in (("a", 900.0), ("b", 500.0))}),
        lambda c: (
            c.model_copy(
                update={
                    "flags": ["client-bound 98 %"],
                    "metrics": c.metrics | {"cpu_s_per_1000": 0.4, "client_cpu_s_per_1000": 1.7},
                }
            )
            if c.kind == "search"
            else c
        ),
    )
    decision = decide(result)
    assert decision.verdict == "no decision"
    assert "the figures compare clients, not engines" in decision.sentence
    assert "CPU time a query: 0.4 ms in the server, 1.7 ms in its clients" in decision.sentence.replace(
        "0.400", "0.4"
    ).replace("1.70", "1.7")
