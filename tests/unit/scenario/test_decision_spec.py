"""What a scenario may say of its decision: objectives, and weights of the mix of filters."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from harness.scenario.specs import Scenario
from harness.scenario.strict import explain

OFFERED = {"task": "search", "name": "s", "executor": "arrival_rate", "rate": 5}


def asked(decision: dict[str, Any], *tasks: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "x",
        "engines": [{"engine": "faiss"}],
        "filters": [
            {"name": "none"},
            {"name": "10pct", "selectivity": 0.1},
            {"name": "own", "from_dataset": True},
        ],
        "tasks": [{"task": "index"}, *tasks],
        "decision": decision,
    }


def refused(decision: dict[str, Any]) -> str:
    data = asked(decision)
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(data)
    return "\n".join(explain(caught.value, "mine.yaml", data, Scenario))


def test_weights_are_of_filters_and_of_sets_that_the_data_bring() -> None:
    weights = {"none": 5, "10pct": 0, "own": 1, "own:a": 2.5}
    assert Scenario.model_validate(asked({"weights": weights})).decision.weights == weights


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (
            {"weights": {"non": 1}},
            "mine.yaml: decision.weights: unknown filter 'non' (did you mean 'none'? known: none, 10pct, own)",
        ),
        ({"weights": {"x": 1}}, "unknown filter 'x' (known: none, 10pct, own)"),
        ({"weights": {"10pct:a": 1}}, "unknown filter '10pct:a' (did you mean '10pct'? known"),
        ({"weights": {"none": -1}}, "decision.weights.none must be greater than or equal to 0, got -1"),
        ({"weights": {"none": True}}, "decision.weights.none must be a valid number, got True"),
        ({"weights": {"none": "often"}}, "decision.weights.none must be a valid number"),
        ({"weights": {"none": 0}}, "weights are all 0"),
        ({"weights": {}}, "decision.weights"),
        ({"weights": {"none": 1}, "weights_from": "log"}, "takes one of weights and weights_from"),
        ({"objective": "max latency_p99_ms"}, "decision.objective must be 'max throughput_qps'"),
        ({"objective": 5}, "decision.objective must be"),
        ({"objective": "min latency.p99"}, "compares engines under an offered rate; add a search task"),
    ],
)
def test_what_is_wrong_with_a_decision_is_named(decision: dict[str, Any], expected: str) -> None:
    assert expected in refused(decision)


def test_a_latency_may_be_written_as_in_requirements() -> None:
    for text in ("min latency.p999", "min latency_p999_ms"):
        assert (
            Scenario.model_validate(asked({"objective": text}, OFFERED)).decision.objective
            == "min latency_p999_ms"
        )
