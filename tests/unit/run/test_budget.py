"""Fewer trials, then shorter windows, so that a run keeps to its budget."""

from __future__ import annotations

import pytest

from harness.run.budget import LEAST, Budget, shortened, windows_s
from harness.scenario.plan import session_cells, trial_sessions
from harness.scenario.specs import Scenario

SCENARIO = Scenario.model_validate(
    {
        "name": "budgeted",
        "trials": 3,
        "engines": [{"engine": "bruteforce"}, {"engine": "bruteforce", "label": "other"}],
        "filters": [{"name": "none"}],
        "tasks": [
            {"task": "index"},
            {"task": "search", "name": "closed", "duration_s": 2.0, "warmup_s": 0.5},
            {
                "task": "search",
                "name": "open",
                "executor": "arrival_rate",
                "rate": [10, 20],
                "duration_s": 5.0,
            },
        ],
    }
)


def run(budget: Budget, other_s: float) -> list[float]:
    """The shares of the trials that a run makes, of which all that is not a window takes `other_s` a trial."""
    shares: list[float] = []
    spent_s = longest_s = 0.0
    share: float | None = budget.first()
    while share is not None and len(shares) < budget.trials:
        shares.append(share)
        trial_s = other_s + share * budget.windows_s
        spent_s, longest_s = spent_s + trial_s, max(longest_s, trial_s)
        share = budget.next(len(shares), spent_s, longest_s, share)
    return shares


@pytest.mark.parametrize(
    ("limit_s", "other_s", "shares"),
    [
        (1000, 10, [1.0, 1.0, 1.0]),
        (300, 40, [1.0, 1.0]),  # 140 s a trial: a third does not fit, and two are enough
        (270, 40, [1.0, 0.9]),  # 130 s are left for the second, of which 40 s are no windows
        (200, 40, [0.8, 0.4]),  # 80 s are left for the second
        (200, 60, [0.8]),
        (25, 0, [0.1, 0.1]),
        (1, 0, [LEAST]),  # nothing helps
        (200, 160, [0.8]),  # what is no window takes too long for two trials
    ],
)
def test_trials_and_windows_fit_the_budget(limit_s: float, other_s: float, shares: list[float]) -> None:
    budget = Budget(limit_s, 100.0, 3)
    made = run(budget, other_s)
    assert made == pytest.approx(shares)
    if len(made) > 1:
        assert sum(other_s + share * 100 for share in made) <= limit_s + 1e-9


def test_a_trial_that_was_slow_shortens_the_second_and_bars_the_third() -> None:
    budget = Budget(100.0, 20.0, 3)
    assert budget.first() == 1.0
    assert budget.next(1, spent_s=65.0, longest_s=65.0, share=1.0) is None  # 45 s are no windows
    assert budget.next(1, spent_s=55.0, longest_s=55.0, share=1.0) == pytest.approx(0.5)
    assert budget.next(2, spent_s=90.0, longest_s=40.0, share=0.5) is None
    assert budget.next(2, spent_s=55.0, longest_s=40.0, share=0.5) == 0.5


def test_windows_that_took_less_than_planned_are_no_reason_to_overrun() -> None:
    share = Budget(160.0, 150.0, 3).next(1, spent_s=100.0, longest_s=100.0, share=1.0)
    assert share == pytest.approx(0.6)  # of the 100 s that they took, not of 150 s


def test_a_run_without_windows_loses_trials_only() -> None:
    budget = Budget(100.0, 0.0, 3)
    assert budget.first() == 1.0
    assert budget.next(1, spent_s=60.0, longest_s=60.0, share=1.0) is None
    assert budget.next(1, spent_s=40.0, longest_s=40.0, share=1.0) == 1.0


def test_one_trial_that_was_asked_for_may_take_the_whole_budget() -> None:
    assert Budget(100.0, 80.0, 1).first() == 1.0
    assert Budget(100.0, 80.0, 2).first() == pytest.approx(0.5)


def test_windows_are_those_of_every_planned_cell() -> None:
    cells = [
        cell
        for session in trial_sessions(SCENARIO, 0)
        for cell in session_cells(SCENARIO, session, {"none": ["none"]})
    ]
    assert len(cells) == 2 * (1 + 1 + 2)
    assert windows_s(SCENARIO, cells) == pytest.approx(2 * (2.0 + 5 * 0.5 + 2 * (5.0 + 5 * 0.3)))


def test_windows_are_shortened_evenly_and_nothing_else_is_changed() -> None:
    short = shortened(SCENARIO, 0.5)
    assert [(task.name, getattr(task, "duration_s", None)) for task in short.tasks] == [
        ("index", None),
        ("closed", 1.0),
        ("open", 2.5),
    ]
    assert [getattr(task, "warmup_s", None) for task in short.tasks] == [None, 0.25, 0.15]
    assert [getattr(task, "longest_warmup_s", None) for task in short.tasks] == [None, 1.25, 0.75]
    assert short.model_copy(update={"tasks": SCENARIO.tasks}) == SCENARIO
    assert shortened(SCENARIO, 1.0) is SCENARIO
    for session in trial_sessions(SCENARIO, 0):  # the same cells, by which a run is resumed
        keys = [
            [cell.key for cell in session_cells(each, session, {"none": ["none"]})]
            for each in (SCENARIO, short)
        ]
        assert keys[0] == keys[1]
