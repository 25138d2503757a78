"""Which engine is started."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ConfigurationError
from reports.decide.decision import decide
from service.settings.decision import choose, read_decision
from tests.unit import example_results


def choice(engine: str, adapter: str, **parameters: Any) -> dict[str, Any]:
    return {
        "engine": engine,
        "adapter": adapter,
        "version": "1",
        "index": {"m": 16},
        "search": parameters,
        "title": f"{engine} (m=16)",
        "score": 100.0,
        "trials": 3,
    }


def decided(folder: Path, **changes: Any) -> Path:
    first, second = choice("graph", "faiss", ef=64), choice("scan", "bruteforce")
    values = {
        "schema_version": 1,
        "run": "monday",
        "verdict": "pick",
        "sentence": "Pick graph.",
        "pick": first,
        "leader": first,
        "standings": [{"engine": "graph", "choice": first}, {"engine": "scan", "choice": second}],
        "dataset": {"name": "shop"},
    }
    path = folder / "decision.json"
    path.write_text(json.dumps(values | changes))
    return path


def problem(decision: Path, engine: str | None = None) -> str:
    with pytest.raises(ConfigurationError) as raised:
        choose(read_decision(decision), engine)
    return "\n".join(raised.value.problems)


def test_the_pick_is_taken_with_its_parameters(tmp_path: Path) -> None:
    decided(tmp_path)
    chosen = choose(read_decision(tmp_path), None)
    assert (chosen.adapter, chosen.index, chosen.search) == ("faiss", {"m": 16}, {"ef": 64})
    assert (chosen.why, chosen.measured_on) == ("graph (m=16), the pick of run monday", "shop")


def test_what_a_run_has_decided_is_read(tmp_path: Path) -> None:
    decision = decide(example_results.build())
    assert decision.pick is not None
    (tmp_path / "decision.json").write_text(decision.model_dump_json())
    chosen = choose(read_decision(tmp_path), None)
    assert chosen.adapter == decision.pick.adapter
    assert (chosen.index, chosen.search) == (decision.pick.index, decision.pick.search)
    for standing in decision.standings:
        assert standing.choice is not None
        assert choose(read_decision(tmp_path), standing.engine).search == standing.choice.search


def test_a_picked_engine_whose_setting_is_open_starts_with_the_leading_one(tmp_path: Path) -> None:
    decision = decide(example_results.realistic())
    assert decision.verdict == "pick engine"
    (tmp_path / "decision.json").write_text(decision.model_dump_json())
    chosen = choose(read_decision(tmp_path), None)
    assert decision.leader is not None
    assert (chosen.adapter, chosen.search) == (decision.leader.adapter, decision.leader.search)
    assert chosen.why.endswith("(faiss; its index type is open)")


@pytest.mark.parametrize("before", ["", "No decision: "])
def test_a_leader_is_told_to_be_one(tmp_path: Path, before: str) -> None:
    path = decided(tmp_path, pick=None, sentence=f"{before}The runs are too close to call.")
    chosen = choose(read_decision(path), None)
    assert chosen.adapter == "faiss"
    assert chosen.why == (
        "graph (m=16), which leads run monday but is no decision: The runs are too close to call."
    )


def test_neither_pick_nor_leader(tmp_path: Path) -> None:
    path = decided(tmp_path, pick=None, leader=None)
    assert "name an engine with --engine" in problem(path)
    assert choose(read_decision(path), "bruteforce").adapter == "bruteforce"


def test_an_engine_of_the_decision_has_its_best_setting_and_an_adapter_its_defaults(tmp_path: Path) -> None:
    decision = read_decision(decided(tmp_path))
    scan = choose(decision, "scan", {}, {"probes": 3})
    assert (scan.adapter, scan.index, scan.search) == ("bruteforce", {"m": 16}, {"probes": 3})
    assert choose(decision, "qdrant", {"m": 8}).index == {"m": 8}
    assert "'grph' is not known (known: graph, scan, bruteforce" in problem(
        tmp_path / "decision.json", "grph"
    )


def test_parameters_need_an_engine() -> None:
    with pytest.raises(ConfigurationError, match="set engine, too"):
        choose(None, None, {"m": 8})
    assert "no decision and no engine" in choose(None, None).why


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is no JSON"),
        ("{}", "pick is missing"),
        ('{"schema_version": 2}', "schema_version must be 1, got 2"),
    ],
)
def test_what_is_no_decision(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "decision.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        read_decision(path)
    assert told in str(raised.value)
    assert all(line.startswith(str(path)) and "bakeoff report" in line for line in raised.value.problems)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_decision(tmp_path / "none.json")
