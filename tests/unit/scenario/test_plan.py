"""The expansion of a scenario into sessions and cells."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from harness.scenario.cells import grid
from harness.scenario.plan import identity, session_cells, trial_sessions
from harness.scenario.specs import Scenario
from harness.scenario.tasks import SearchTask

SCENARIO = Scenario.model_validate(
    {
        "name": "s",
        "trials": 2,
        "engines": [
            {"engine": "faiss", "label": "a", "index": {"M": [8, 16], "kind": "hnsw"}, "search": {"efSearch": [1, 2]}},
            {"engine": "qdrant"},
        ],
        "filters": [{"name": "none"}, {"name": "few", "selectivity": 0.1}],
        "tasks": [
            {"task": "updates"},
            {"task": "index"},
            {"task": "search", "name": "closed"},
            {"task": "search", "name": "open", "executor": "arrival_rate", "rate": [5, 10],
             "params": "operating_point", "filters": ["few"]},
        ],
    }
)  # fmt: skip
FILTERS = {"none": ["none"], "few": ["few"]}


def test_a_grid_is_every_combination_and_scalars_stand_for_themselves() -> None:
    assert grid({}) == ({},)
    assert grid({"a": [1, 2], "b": "x", "c": [3]}) == ({"a": 1, "b": "x", "c": 3}, {"a": 2, "b": "x", "c": 3})


def test_the_load_is_part_of_a_cells_parameters() -> None:
    task = SearchTask(task="search", name="s", executor="arrival_rate", rate=5, clients=4, processes=2)
    (cell,) = task.cells({"none": ["none"]}, [{}])
    expected = {"executor": "arrival_rate", "clients": 4, "processes": 2, "rate": 5, "arrivals": "poisson"}
    assert cell.load == expected


def test_a_session_for_each_index_combination() -> None:
    sessions = trial_sessions(SCENARIO, 0)
    assert [(s.label, s.adapter, s.index, len(s.searches)) for s in sessions] == [
        ("a", "faiss", {"M": 8, "kind": "hnsw"}, 2),
        ("a", "faiss", {"M": 16, "kind": "hnsw"}, 2),
        ("qdrant", "qdrant", {}, 1),
    ]
    assert len({s.key for trial in (0, 1) for s in trial_sessions(SCENARIO, trial)}) == 6


def test_trials_start_with_different_engines_and_hold_the_same_ones() -> None:
    first, second = trial_sessions(SCENARIO, 0), trial_sessions(SCENARIO, 1)
    assert first[0].label != second[0].label or first[0].index != second[0].index
    assert sorted(str((s.label, s.index)) for s in first) == sorted(str((s.label, s.index)) for s in second)


def test_cells_are_filters_times_parameters_times_rates_with_the_index_first() -> None:
    session = trial_sessions(SCENARIO, 0)[0]
    cells = session_cells(SCENARIO, session, FILTERS)
    assert [cell.kind for cell in cells] == ["index", "updates"] + ["search"] * (2 * 2 + 1 * 2)
    assert len({cell.key for cell in cells}) == len(cells)
    opened = [cell for cell in cells if cell.task == "open"]
    assert sorted(cell.params["load"]["rate"] for cell in opened) == [5, 10]
    assert {cell.filter for cell in opened} == {"few"}


def test_one_filter_of_the_scenario_may_stand_for_several_of_the_dataset() -> None:
    session = trial_sessions(SCENARIO, 0)[0]
    cells = session_cells(SCENARIO, session, {"none": ["none"], "few": ["x", "y"]})
    assert {cell.filter for cell in cells if cell.task == "open"} == {"x", "y"}


def test_an_operating_point_is_the_same_cell_whatever_was_chosen() -> None:
    session = trial_sessions(SCENARIO, 0)[0]
    cells = session_cells(SCENARIO, session, FILTERS)
    planned = next(cell for cell in cells if cell.task == "open")
    measured = planned.model_copy(update={"params": planned.params | {"search": {"efSearch": 2}}})
    assert measured.key != planned.key
    assert identity(measured, SCENARIO) == identity(planned, SCENARIO)
    closed = next(cell for cell in cells if cell.task == "closed")
    assert identity(closed, SCENARIO) == closed.key


def test_every_trial_has_the_same_cells_in_another_order() -> None:
    orders = [
        [
            cell.filter + str(cell.params)
            for cell in session_cells(SCENARIO, session, FILTERS)
            if cell.task == "closed"
        ]
        for session in (
            trial_sessions(SCENARIO, 0)[0],
            trial_sessions(SCENARIO, 1)[-1],
            trial_sessions(SCENARIO, 0)[0],
        )
    ]
    assert orders[0] == orders[2]
    several = Scenario.model_validate(SCENARIO.model_dump(mode="json") | {"trials": 8})
    seen = set()
    for trial in range(8):
        session = next(one for one in trial_sessions(several, trial) if one.index == {"M": 8, "kind": "hnsw"})
        cells = [cell for cell in session_cells(several, session, FILTERS) if cell.task == "closed"]
        seen.add(tuple(f"{cell.filter} {cell.params['search']}" for cell in cells))
    assert len({frozenset(order) for order in seen}) == 1
    assert len(seen) > 1


def test_a_second_task_that_builds_the_index_is_refused() -> None:
    tasks = [{"task": "index"}, {"task": "index", "name": "index-small", "batch_size": 10}]
    with pytest.raises(ValidationError, match="'index-small' would build the index a second time; remove it"):
        Scenario.model_validate(SCENARIO.model_dump(mode="json") | {"tasks": tasks})


def test_a_task_may_be_measured_in_the_first_trials_only() -> None:
    tasks = [
        {"task": "index"},
        {"task": "durability"},
        {"task": "updates", "trials": 1},
        {"task": "search", "name": "s"},
    ]
    scenario = Scenario.model_validate(SCENARIO.model_dump(mode="json") | {"tasks": tasks})
    first, second = (session_cells(scenario, trial_sessions(scenario, trial)[0], FILTERS) for trial in (0, 1))
    assert {cell.kind for cell in first} == {"index", "durability", "updates", "search"}
    assert {cell.kind for cell in second} == {"index", "search"}
