"""What production needs of an engine whatever its figures: declared, measured, missing, unknown."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from harness.results.result import Measurement, RunResult
from harness.scenario.specs import Need
from reports.decide.checks.needs import NEEDS
from reports.decide.checks.requirements import Check
from reports.decide.decision import Decision, decide
from tests.unit.example_results import ENGINES, build, edit, failed, with_metrics

TWO = {name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}


def with_needs(*needs: str, objective: str = "max throughput_qps", **abilities: dict[str, bool]) -> RunResult:
    """A run whose decision needs these. abilities: what each engine's adapter declares (`faiss-hnsw` as faiss_hnsw)."""
    result = build(engines=TWO, objective=objective)
    decision = result.scenario["decision"] | {"needs": list(needs)}
    engines = {
        name: entry
        | {"capabilities": {"update": True, "delete": True} | abilities.get(name.replace("-", "_"), {})}
        for name, entry in result.engines.items()
    }
    return result.model_copy(
        update={"scenario": result.scenario | {"decision": decision}, "engines": engines}
    )


def with_durability(
    result: RunResult, engine: str, error: str | None = None, **lost: float | None
) -> RunResult:
    """The run with a cell of the durability task for an engine."""
    metrics: dict[str, Any] = {"acknowledged": 500.0} | lost
    cell = Measurement(
        engine=engine,
        adapter=engine,
        task="durability",
        kind="durability",
        params={"index": ENGINES[engine][1]},
        metrics={} if error else metrics,
        reasons={name: "the server is not killed" for name, value in lost.items() if value is None},
        error=error,
    )
    return result.model_copy(update={"measurements": [*result.measurements, cell]})


def need(decision: Decision, name: str, engine: str) -> Check:
    checks = next(entry.checks for entry in decision.standings if entry.engine == engine)
    return next(check for check in checks if check.requirement == f"needs {name}")


def test_the_names_of_needs_are_those_of_scenarios() -> None:
    assert set(NEEDS) == set(get_args(Need))


def test_the_fastest_engine_that_keeps_nothing_is_named_and_not_picked() -> None:
    durable = {"faiss_hnsw": {"durable": False}, "qdrant": {"durable": True}}
    result = with_durability(
        with_needs("durable", **durable), "faiss-hnsw", reopened_lost=0.0, killed_lost=500.0
    )
    decision = decide(with_durability(result, "qdrant", reopened_lost=0.0, killed_lost=0.0))
    assert decision.pick is not None
    assert decision.pick.engine == "qdrant"
    assert decision.sentence.startswith("faiss-hnsw is fastest (")
    assert (
        "queries/s), but keeps nothing after a crash; of those that meet every need, pick qdrant"
        in decision.sentence
    )
    assert decision.fastest_lacking is not None
    assert decision.fastest_lacking.engine == "faiss-hnsw"
    assert need(decision, "durable", "qdrant").shown == "measured"
    out = next(entry for entry in decision.standings if entry.engine == "faiss-hnsw")
    assert out.status == "eliminated"
    assert "500 of 500 acknowledged items were lost by kill -9" in out.sentence
    assert decision.needs == ["durable"]
    assert "needs durable" in decision.requirements


def test_without_needs_the_same_run_picks_the_fastest() -> None:
    decision = decide(with_needs())
    assert decision.pick is not None
    assert decision.pick.engine == "faiss-hnsw"
    assert decision.fastest_lacking is None


def test_what_the_run_shows_counts_more_than_what_is_declared() -> None:
    """An adapter that declares to keep everything and loses it; and one that declares nothing and keeps it."""
    declared = with_needs("durable", faiss_hnsw={"durable": True}, qdrant={"durable": False})
    result = with_durability(declared, "faiss-hnsw", reopened_lost=3.0, killed_lost=0.0)
    decision = decide(with_durability(result, "qdrant", reopened_lost=0.0, killed_lost=0.0))
    assert need(decision, "durable", "faiss-hnsw").status == "fails"
    assert (
        "3 of 500 acknowledged items were lost by closing and opening"
        in need(decision, "durable", "faiss-hnsw").reason
    )
    assert need(decision, "durable", "qdrant").met


def test_what_is_only_declared_is_met_and_said_to_be_declared() -> None:
    result = with_needs("durable", "cluster", faiss_hnsw={"durable": True, "cluster": True}, qdrant={})
    result = with_durability(result, "faiss-hnsw", reopened_lost=0.0, killed_lost=None)
    decision = decide(result)
    assert need(decision, "durable", "faiss-hnsw").shown == "declared"
    assert "the server is not killed" in need(decision, "durable", "faiss-hnsw").reason
    assert any(text.endswith("not measured: durable and cluster.") for text in decision.caveats)
    unknown = need(decision, "durable", "qdrant")
    assert (unknown.status, unknown.met) == ("not measured", False)
    assert "needs durable and needs cluster not measured (neither declared nor measured)" in next(
        entry.sentence for entry in decision.standings if entry.engine == "qdrant"
    )


def test_updates_and_deletes_are_shown_by_their_task() -> None:
    decision = decide(with_needs("update", "delete"))
    assert need(decision, "update", "qdrant").reason == "measured in task updates"
    assert need(decision, "delete", "qdrant").shown == "measured"
    unable = edit(
        with_needs("update", "delete", faiss_hnsw={"delete": False}),
        lambda c: (
            failed(c, "unsupported: it cannot delete items")
            if c.engine == "faiss-hnsw" and c.kind == "updates"
            else c
        ),
    )
    decision = decide(unable)
    assert need(decision, "update", "faiss-hnsw").shown == "declared"
    assert need(decision, "delete", "faiss-hnsw").status == "fails"
    assert "it cannot delete items (its adapter declares it)" in need(decision, "delete", "faiss-hnsw").reason
    assert decision.pick is not None
    assert decision.pick.engine == "qdrant"


def test_what_is_declared_does_not_stand_against_a_test_that_failed() -> None:
    """A server that was killed and did not come back, beside one that was not killed because it is not ours."""
    declared = {"faiss_hnsw": {"durable": True}, "qdrant": {"durable": True}}
    result = with_durability(
        with_needs("durable", **declared), "faiss-hnsw", reopened_lost=0.0, killed_lost=None
    )
    decision = decide(with_durability(result, "qdrant", error="EngineError: it did not start"))
    check = need(decision, "durable", "qdrant")
    assert (check.status, check.met) == ("not measured", False)
    assert check.reason == "its test failed: EngineError: it did not start"
    status = {entry.engine: entry.status for entry in decision.standings}
    assert status == {"faiss-hnsw": "pick", "qdrant": "eliminated"}


def test_servers_and_several_processes_are_shown_by_having_been_used_so() -> None:
    result = with_needs(
        "server", "several_processes", faiss_hnsw={"server": False, "multi_process": False}, qdrant={}
    )
    engines = {
        name: entry | ({"server": {"run": "url", "url": "http://q"}} if name == "qdrant" else {})
        for name, entry in result.engines.items()
    }
    result = edit(
        result.model_copy(update={"engines": engines}),
        lambda c: (
            c.model_copy(update={"params": c.params | {"load": c.params["load"] | {"processes": 2}}})
            if c.engine == "qdrant" and c.kind == "search"
            else c
        ),
    )
    decision = decide(result)
    assert need(decision, "server", "qdrant").reason == "it was measured as one"
    assert need(decision, "several_processes", "qdrant").reason == "measured in task throughput"
    assert "cannot be used by several processes at once and" not in decision.sentence
    assert "but is no server and cannot be used by several processes at once; of those" in decision.sentence


@pytest.mark.parametrize("objective", ["max throughput_qps", "min cpu_s_per_1000"])
def test_where_no_engine_meets_the_needs_the_best_of_the_rest_is_named(objective: str) -> None:
    lacking = {"faiss_hnsw": {"text": False}, "qdrant": {"text": False}}
    decision = decide(with_needs("text", objective=objective, **lacking))
    assert decision.verdict == "no decision"
    assert decision.sentence == (
        "No decision: no setting of any engine meets every requirement and need. faiss-hnsw meets all figures, but "
        "cannot search by words."
    )


def test_no_decision_among_those_that_meet_the_needs_says_who_is_fastest() -> None:
    engines = {name: (name, *ENGINES["qdrant"][1:]) for name in ("a", "b")} | {"c": ENGINES["faiss-hnsw"]}
    result = build(engines=engines, noise=0.1)
    scenario = result.scenario | {"decision": result.scenario["decision"] | {"needs": ["durable"]}}
    able = {name: {"version": "1", "capabilities": {"durable": name != "c"}} for name in engines}
    decision = decide(result.model_copy(update={"scenario": scenario, "engines": able}))
    assert decision.verdict == "no decision"
    assert decision.sentence.startswith("c is fastest (")
    assert (
        "but keeps nothing after a crash; no decision among those that meet every need: " in decision.sentence
    )


def test_an_engine_that_fails_a_figure_is_not_called_the_fastest() -> None:
    result = with_needs("durable", faiss_hnsw={"durable": False}, qdrant={"durable": True})
    slow = edit(result, lambda c: with_metrics(c, recall_at_10=0.1) if c.engine == "faiss-hnsw" else c)
    assert decide(slow).fastest_lacking is None
    assert decide(slow).sentence.startswith("Pick qdrant")
    slower = with_needs("durable", faiss_hnsw={"durable": True}, qdrant={"durable": False})
    assert decide(slower).fastest_lacking is None
