"""What is picked, by which objective, from which task."""

import json

import pytest

from reports.decide.decision import Decision, decide
from reports.decide.evidence import gather_evidence
from tests.unit.example_results import FILTERS, build, realistic
from tests.unit.reports.decide.deciding import standing


def test_picks_the_fastest_that_meets_every_requirement() -> None:
    decision = decide(build())
    assert decision.verdict == "pick"
    assert decision.pick is not None
    # efSearch=16 is faster still, but its recall is below 0.95 with some filter.
    assert (decision.pick.engine, decision.pick.search) == ("faiss-hnsw", {"efSearch": 64})
    assert (decision.pick.adapter, decision.pick.index) == ("faiss", {"kind": "hnsw", "M": 16})
    assert decision.pick.version == "1.2.3"
    assert decision.runner_up is not None
    assert decision.runner_up.engine == "faiss-ivf"
    assert decision.margin is not None
    assert decision.margin.low is not None
    assert 1 < decision.margin.low < decision.margin.ratio
    assert decision.win_share == 1.0
    assert decision.sentence.startswith(
        "Pick faiss-hnsw (M=16, kind=hnsw; efSearch=64). It meets every requirement"
    )
    assert "22 % more than faiss-ivf" in decision.sentence


def test_a_service_can_start_from_it() -> None:
    data = json.loads(json.dumps(decide(build()).model_dump(mode="json"), allow_nan=False))
    assert Decision.model_validate(data) == decide(build())
    assert data["schema_version"] == 1
    assert data["k"] == 10
    assert data["dataset"]["name"] == "fashion-mnist"
    assert data["dataset"]["metric"] == "l2"
    assert data["dataset"]["dim"] == 784
    assert data["dataset"]["fields"][0] == {"name": "category", "kind": "keyword", "origin": "real"}


def test_throughput_of_the_mix_is_harmonic() -> None:
    result = build(trials=2, noise=0.0, arrivals=False)
    score = decide(result).pick
    rates = {
        cell.filter: cell.metrics["throughput_qps"]
        for cell in result.measurements
        if cell.kind == "search" and cell.engine == "faiss-hnsw" and cell.params["search"] == {"efSearch": 64}
    }
    assert score is not None
    assert score.score == pytest.approx(len(FILTERS) / sum(1 / (rate or 0) for rate in rates.values()))


def test_cost_can_be_the_objective() -> None:
    decision = decide(build(objective="min cpu_s_per_1000"))
    assert decision.pick is not None
    assert decision.pick.engine == "faiss-hnsw"
    assert decision.margin is not None
    assert decision.margin.ratio > 1
    assert "0.222 s of CPU time per 1,000 queries" in decision.sentence
    assert "faiss-ivf (kind=ivf; nprobe=16) takes 22 % more" in decision.sentence


def test_the_objective_comes_from_the_task_that_covers_the_grid() -> None:
    """A second closed loop at the operating point alone, with more clients, is not what settings are compared by."""
    extra = [
        cell.model_copy(
            update={
                "task": "two-clients",
                "params": cell.params | {"load": cell.params["load"] | {"clients": 2}},
                "metrics": cell.metrics | {"throughput_qps": 1e6},
            }
        )
        for cell in build().measurements
        if cell.executor == "closed_loop" and cell.params["search"] in ({"efSearch": 64}, {"nprobe": 16})
    ]
    result = build()
    both = decide(result.model_copy(update={"measurements": extra + result.measurements}))
    assert both.pick is not None
    assert both.pick.score == pytest.approx(decide(result).pick.score)  # type: ignore[union-attr]


def test_a_realistic_run() -> None:
    decision = decide(realistic())
    assert decision.verdict == "pick engine"
    assert [entry.status for entry in decision.standings[:2]] == ["pick", "open"]
    assert standing(decision, "faiss-hnsw-post").status == "eliminated"
    assert len(gather_evidence(realistic()).candidates) == 14
