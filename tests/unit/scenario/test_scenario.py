"""Scenario files: what is accepted, and that every problem is named at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import ConfigurationError
from harness.paths import find_scenario, shipped
from harness.run.runner import check_engines
from harness.scenario.specs import load_scenario

MINIMAL: dict[str, Any] = {
    "engines": [{"engine": "bruteforce"}],
    "tasks": [{"task": "index"}, {"task": "search", "name": "s"}],
}


def search(**changes: Any) -> dict[str, Any]:
    """The tasks of a scenario, one of them a search with these keys."""
    return {"tasks": [{"task": "index"}, {"task": "search", "name": "s"} | changes]}


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(MINIMAL | changes))
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_scenario(path)
    assert caught.value.exit_code == 104
    assert all(str(path) in line for line in caught.value.problems)
    return caught.value.problems


def test_the_minimum_takes_its_name_from_the_file(tmp_path: Path) -> None:
    scenario = load_scenario(write(tmp_path))
    assert (scenario.name, scenario.k, scenario.trials) == ("mine", 10, 3)
    assert [spec.name for spec in scenario.filters] == ["none"]


@pytest.mark.parametrize("path", sorted(shipped("scenarios").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_scenario_is_sound(path: Path) -> None:
    assert load_scenario(path).name == path.stem


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        k=0,
        colour="red",
        tasks=[{"task": "index"}, {"task": "search", "name": "s", "executor": "arrival_rate", "rate": -5}],
    )
    text = "\n".join(problems(path))
    assert "k must be greater than 0, got 0" in text
    assert "colour is not a known key" in text
    assert "tasks[1].rate must be greater than 0, got -5" in text


def test_a_boolean_in_the_place_of_a_number_hides_no_other_problem(tmp_path: Path) -> None:
    tasks = [{"task": "index"}, {"task": "search", "name": "s", "clients": True, "duration_s": -1}]
    path = write(tmp_path, k=True, trials=0, colour="red", limits={"cpus": False}, tasks=tasks)
    assert [line.removeprefix(f"{path}: ") for line in problems(path)] == [
        "k must be a valid integer, got True",
        "trials must be greater than 0, got 0",
        "limits.cpus must be a valid number, got False",
        "tasks[1].clients must be a valid integer, got True",
        "tasks[1].duration_s must be greater than 0, got -1",
        "colour is not a known key, remove it or correct its spelling",
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"tasks": [{"task": "search", "name": "s"}]}, "an index task is needed"),
        ({"tasks": [{"task": "index"}, {"task": "search", "name": "index"}]}, "'index' occurs twice"),
        ({"engines": [{"engine": "faiss"}, {"engine": "faiss"}]}, "'faiss' occurs twice"),
        ({"engines": []}, "engines"),
        ({"filters": [{"name": "a", "where": {"x": 1}, "selectivity": 0.5}]}, "takes one of"),
        ({"filters": [{"name": "a", "where": {"x": {"above": 1}}}]}, "takes the bounds"),
        ({"filters": [{"name": "a", "column": "x"}]}, "column goes with selectivity"),
        ({"filters": [{"name": "a", "selectivity": 0}]}, "selectivity"),
        ({"decision": {"requirements": ["recall is good"]}}, "is no threshold"),
        ({"decision": {"needs": ["durable", "fast"]}}, "decision.needs[1]"),
        (
            {"tasks": [{"task": "index"}, {"task": "search", "name": "s", "filters": ["nope"]}]},
            "unknown filter 'nope'",
        ),
        (
            {"tasks": [{"task": "index"}, {"task": "search", "name": "s", "executor": "arrival_rate"}]},
            "rate is required",
        ),
        (
            {"tasks": [{"task": "index"}, {"task": "search", "name": "s", "rate": 5}]},
            "rate goes with executor: arrival_rate, not with closed_loop",
        ),
        (
            {"tasks": [{"task": "dance"}]},
            "tasks[0].task must be one of 'index', 'search', 'answers', 'updates', 'durability', got 'dance'",
        ),
        ({"tasks": [{"name": "dance"}]}, "tasks[0].task is missing"),
        ({"tasks": [{"task": "search"}]}, "tasks[0].name is missing"),
        (
            {"tasks": [{"task": "search", "name": "s", "executor": "arrival_rate", "rate": [1, "x"]}]},
            "tasks[0].rate[1] must be a valid number",
        ),
        ({"budget_s": True}, "budget_s must be a valid number, got True"),
        (search(executor="arrival_rate", rate=True), "tasks[1].rate must be a valid number, got True"),
        (
            search(executor="arrival_rate", rate=[5, True]),
            "tasks[1].rate[1] must be a valid number, got True",
        ),
        ({"trials": 10**30}, "trials must be less than or equal to 1000"),
        ({"cell_timeout_s": 1e308}, "cell_timeout_s must be less than or equal to 1000000"),
        ({"limits": {"cpus": 1e308}}, "limits.cpus must be less than or equal to 10000"),
        ({"limits": {"memory_mib": 10**30}}, "limits.memory_mib must be less than or equal to"),
        (search(duration_s=1e308), "tasks[1].duration_s must be less than or equal to 1000000"),
        (search(warmup_max_s=1e308), "tasks[1].warmup_max_s must be less than or equal to 1000000"),
        (search(max_queries=10**30), "tasks[1].max_queries must be less than or equal to 1000000000"),
        (search(clients=10**9), "tasks[1].clients must be less than or equal to 10000"),
        (search(processes=10**9), "tasks[1].processes must be less than or equal to 1000"),
        (search(executor="arrival_rate", rate=1e9), "tasks[1].rate must be less than or equal to 10000000"),
        (search(executor="arrival_rate", rate=[5, 5]), "tasks[1] rate holds a number twice"),
        (search(executor="saturation"), "tasks[1] shares is required with executor: saturation"),
        (search(executor="saturation", shares=[0.5, 0.5]), "tasks[1] shares holds a number twice"),
        (search(executor="saturation", shares=90), "tasks[1].shares must be less than or equal to 10"),
        (
            search(executor="saturation", shares=0.5),
            "tasks[1].executor: saturation takes shares of a throughput, and no task before it has executor: "
            "closed_loop with filter 'none'",
        ),
        (
            {"engines": [{"engine": "faiss", "index": {"M": []}}]},
            "engines[0].index M: the list is empty, so that nothing would be measured",
        ),
        (
            {"engines": [{"engine": "faiss", "search": {"efSearch": [8, 16, 8]}}]},
            "engines[0].search efSearch: [8, 16, 8] holds a value twice",
        ),
        (
            {"engines": [{"engine": "faiss", "search": {"efSearch": [[8], [8]]}}]},
            "engines[0].search efSearch: [[8], [8]] holds a value twice",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    assert any(expected in line for line in problems(write(tmp_path, **changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"filters": [{"name": "a", "selectivity": 0}]},
        {"decision": {"requirements": ["recall"]}},
        search(rate=5),
        search(processes=0),
        {"index_columns": 3},
    ],
)
def test_a_problem_is_told_once(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert len(problems(write(tmp_path, **changes))) == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("os:system", "is no class with `capabilities`"),
        ("json:JSONDecoder", "is no class with `capabilities`"),
        ("raising:Engine", "ZeroDivisionError: division by zero"),
        ("exiting:Engine", "SystemExit: 3"),
        ("broken:Engine", "SyntaxError: "),
        ("raising.inner:Engine", "ZeroDivisionError"),
        ("unversioned:Engine", "its version() fails: KeyError: 'VERSION'"),
        ("engines.base:Nobody", "has no attribute 'Nobody'"),
    ],
)
def test_what_is_no_engine_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    unversioned = """
from engines.bruteforce.adapter import BruteForce
class Engine(BruteForce):
    @classmethod
    def version(cls):
        return {}["VERSION"]
"""
    sources = {
        "unversioned": unversioned,
        "raising": "1 / 0",
        "exiting": "raise SystemExit(3)",
        "broken": "def (",
    }
    for module, text in sources.items():
        (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        check_engines(load_scenario(write(tmp_path, engines=[{"engine": name}])))
    (problem,) = caught.value.problems
    assert problem.startswith(f"{tmp_path / 'mine.yaml'}: engines[0].engine: ")
    assert told in problem


def test_switches_of_engines_are_no_numbers(tmp_path: Path) -> None:
    engine = {"engine": "faiss", "search": {"nprobe": True}}
    with pytest.raises(ConfigurationError, match=r"search.nprobe must be a number or text, got True"):
        check_engines(load_scenario(write(tmp_path, engines=[engine])))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [", "is not YAML: line 1 column 5: "),
        ("- a", "must hold keys such as name, engines and tasks, got list"),
        ("", "engines is missing"),
        ("k: 1\nname: x\nk: 2", "is not YAML: line 3 column 1: key 'k' occurs twice"),
        ("? [k]\n: 1", "is not YAML: line 1 column 3: found unhashable key"),
        ("name: caf\xe9", "is not UTF-8 text"),
        ("name: \x07", "is not YAML: unacceptable character"),
    ],
)
def test_files_that_are_no_scenario(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="latin-1")
    assert expected in problems(path)[0]


def test_a_missing_file(tmp_path: Path) -> None:
    assert "cannot be read" in problems(tmp_path / "none.yaml")[0]


def test_scenarios_are_found_by_name_and_by_path(tmp_path: Path) -> None:
    assert find_scenario("quick").name == "quick.yaml"
    mine = write(tmp_path)
    assert find_scenario(str(mine)) == mine
    with pytest.raises(ConfigurationError, match=r"known: .*quick"):
        find_scenario("quik")
    with pytest.raises(ConfigurationError, match="no such scenario file"):
        find_scenario(str(tmp_path / "other.yaml"))
