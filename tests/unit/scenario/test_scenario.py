"""Scenario files: what is accepted, and that every problem is named at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import ConfigurationError
from harness.paths import find_scenario, shipped
from harness.scenario.specs import load_scenario

MINIMAL: dict[str, Any] = {
    "engines": [{"engine": "bruteforce"}],
    "tasks": [{"task": "index"}, {"task": "search", "name": "s"}],
}


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
            "a closed loop has none",
        ),
        (
            {"tasks": [{"task": "dance"}]},
            "tasks[0].task must be one of 'index', 'search', 'updates', 'durability', got 'dance'",
        ),
        ({"tasks": [{"name": "dance"}]}, "tasks[0].task is missing"),
        ({"tasks": [{"task": "search"}]}, "tasks[0].name is missing"),
        (
            {"tasks": [{"task": "search", "name": "s", "executor": "arrival_rate", "rate": [1, "x"]}]},
            "tasks[0].rate[1] must be a valid number",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    assert any(expected in line for line in problems(write(tmp_path, **changes)))


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
