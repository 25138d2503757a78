"""An engine that is settled while which of its entries is best is not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from harness.results.result import RunResult
from reports.decide.decision import Decision, decide
from reports.decide.evidence import gather_evidence
from reports.page.views import headline
from tests.simulations.decision_rates import engine_rates
from tests.simulations.decision_runs import World
from tests.unit.example_results import build, edit, with_metrics

# Queries/s by trial: the entries of `faiss` are as fast as each other.
CLOSE = {"hnsw": (1000.0, 1040.0, 1010.0), "flat": (1010.0, 1000.0, 1030.0)}
FAR = {"pgvector": (400.0, 410.0, 405.0)}
NEAR = {"pgvector": (1000.0, 960.0, 1020.0)}


def run(rates: dict[str, tuple[float, ...]], same: tuple[str, ...] = ("hnsw", "flat")) -> RunResult:
    """A finished run of these entries; those in `same` are of the adapter faiss, each with an index of its own kind."""
    engines = {name: ("faiss" if name in same else name, {"kind": name}, {}, 1000.0, 1.0) for name in rates}
    return edit(
        build(engines=engines, filters={"none": 1.0}, arrivals=False),
        lambda c: with_metrics(c, throughput_qps=rates[c.engine][c.trial]) if c.kind == "search" else c,
    )


def test_an_engine_is_picked_although_its_index_type_is_open() -> None:
    decision = decide(run(CLOSE | FAR))
    assert decision.verdict == "pick engine"
    assert decision.sentence.startswith(
        "Pick faiss; its index type is open. Start with hnsw (kind=hnsw). It meets"
    )
    assert "times as many as pgvector" in decision.sentence
    assert "But its lead over flat (kind=flat) is within the noise" in decision.sentence
    assert decision.picked_engine is not None
    assert [choice.engine for choice in decision.picked_engine.open] == ["flat"]
    assert decision.picked_engine.margin is not None
    assert decision.picked_engine.margin.ratio == pytest.approx(2.5, rel=0.02)
    assert decision.picked_engine.win_share == pytest.approx(1.0)
    assert {entry.engine: entry.status for entry in decision.standings} == {
        "hnsw": "pick",
        "flat": "open",
        "pgvector": "eligible",
    }
    assert any(
        text.startswith("If you start with hnsw, another entry of faiss may be up to")
        for text in decision.caveats
    )


def test_a_service_starts_with_the_leading_setting() -> None:
    data = json.loads(decide(run(CLOSE | FAR)).model_dump_json())
    assert data["pick"] == data["leader"]
    assert data["pick"]["engine"] == "hnsw"
    assert Decision.model_validate(data).picked_engine is not None


def test_the_page_says_which_engine_and_what_of_it_is_open() -> None:
    evidence = gather_evidence(run(CLOSE | FAR))
    top = headline(evidence, decide(run(CLOSE | FAR)))
    assert top.text == "Pick faiss; its index type is open"
    assert top.why.startswith("Start with hnsw (kind=hnsw). It meets")
    assert any("of the best other engine, pgvector" in fact.meaning for fact in top.facts)
    assert any("won by faiss, whatever its setting" in fact.meaning for fact in top.facts)


@pytest.mark.parametrize(
    ("rates", "same"),
    [
        (CLOSE | NEAR, ("hnsw", "flat")),  # another engine is as fast
        (CLOSE | FAR, ()),  # each entry is an engine of its own
        (CLOSE | FAR, ("hnsw", "flat", "pgvector")),  # there is no other engine
    ],
)
def test_no_engine_is_picked_without_a_lead_over_another(
    rates: dict[str, tuple[float, ...]], same: tuple[str, ...]
) -> None:
    decision = decide(run(rates, same))
    assert decision.verdict == "no decision"
    assert decision.pick is None
    assert decision.picked_engine is None


def test_what_blocks_a_decision_blocks_that_of_an_engine_too() -> None:
    good = run(CLOSE | FAR)
    unfinished = good.model_copy(update={"finished_at": None})
    assert decide(unfinished).verdict == "no decision"
    for engine, flag, verdict in (
        ("hnsw", "something new", "no decision"),
        ("pgvector", "something new", "no decision"),
        ("flat", "something new", "pick engine"),
        ("pgvector", "client-bound 98 %", "no decision"),
        ("flat", "client-bound 98 %", "pick engine"),
    ):
        flagged = edit(
            good, lambda c, on=engine, by=flag: c.model_copy(update={"flags": [by]}) if c.engine == on else c
        )
        assert decide(flagged).verdict == verdict
    once = edit(good, lambda c: None if c.engine == "pgvector" and c.trial else c)
    assert decide(once).verdict == "no decision"


@pytest.mark.parametrize(
    ("params", "what"),
    [
        ({"hnsw": {"index": {"kind": "hnsw"}}, "flat": {"index": {"kind": "flat"}}}, "index type is"),
        ({"hnsw": {"index": {"M": 16}}, "flat": {"index": {"M": 32}}}, "index settings are"),
        ({"hnsw": {"search": {"ef": 16}}, "flat": {"search": {"ef": 32}}}, "search settings are"),
        ({"hnsw": {}, "flat": {}}, "way of running is"),
    ],
)
def test_what_is_open_is_named_by_what_differs(params: dict[str, dict[str, object]], what: str) -> None:
    result = edit(
        run(CLOSE | FAR),
        lambda c: c.model_copy(update={"params": c.params | {"index": {}} | params.get(c.engine, {})}),
    )
    assert decide(result).sentence.startswith(f"Pick faiss; its {what} open. ")


def test_entries_that_tie_do_not_take_a_win_from_their_engine() -> None:
    same = {"hnsw": (1000.0, 1010.0), "flat": (1000.0, 1010.0), "pgvector": (400.0, 404.0)}
    evidence = gather_evidence(edit(run(dict.fromkeys(same, (1.0, 1.0, 1.0))), lambda c: (
        None if c.trial == 2 else with_metrics(c, throughput_qps=same[c.engine][c.trial]))))  # fmt: skip
    assert evidence.engine_lead is not None
    assert evidence.engine_lead.share == pytest.approx(1.0)
    assert evidence.shares["hnsw"] + evidence.shares["flat"] < 0.9


def test_an_entry_that_may_meet_a_requirement_leaves_the_setting_open() -> None:
    """hnsw leads, but ivf, whose recall is too close to call, comes first in most resamples."""
    rates = {
        "hnsw": (1000.0, 1004.0, 1002.0),
        "ivf": (1500.0, 1503.0, 1501.0),
        "pgvector": (400.0, 402.0, 401.0),
    }
    recalls = (0.93, 0.945, 0.972)
    result = edit(
        run(rates, ("hnsw", "ivf")),
        lambda c: (
            with_metrics(c, recall_at_10=recalls[c.trial]) if c.engine == "ivf" and c.kind == "search" else c
        ),
    )
    decision = decide(result)
    assert decision.verdict == "pick engine"
    assert decision.leader is not None
    assert decision.leader.engine == "hnsw"
    assert decision.picked_engine is not None
    assert [choice.engine for choice in decision.picked_engine.open] == ["ivf"]


def test_an_engine_is_not_judged_by_the_trials_that_chose_its_entry() -> None:
    """Each entry of faiss was lucky once. Chosen by the other trials, none is better than the other engine."""
    lucky = {"a": (130.0, 100.0, 100.0), "b": (100.0, 131.0, 100.0), "c": (100.0, 100.0, 132.0)}
    evidence = gather_evidence(run(lucky | {"other": (105.0, 106.0, 104.0)}, ("a", "b", "c")))
    assert evidence.leader is not None
    assert evidence.leader.score == pytest.approx(332 / 3)
    assert evidence.engine_lead is not None
    margin = evidence.engine_lead.margins["other"]
    assert margin is not None
    assert margin.change == pytest.approx(100 / 105, rel=0.001)


def test_who_ties_with_another_engine_does_not_come_first() -> None:
    evidence = gather_evidence(run({"a": (100.0,) * 3, "b": (100.0,) * 3}, ()))
    assert evidence.shares == {"a": 0.0, "b": 0.0}


def test_that_resamples_alone_do_not_decide_is_said_beside_them() -> None:
    rates = {"a": (100.0, 108.0, 103.0), "b": (98.0, 99.0, 97.0)}
    evidence = gather_evidence(run(rates, ()))
    decision = decide(run(rates, ()))
    assert decision.verdict == "no decision"
    assert decision.win_share is not None
    assert decision.win_share > decision.confidence
    assert any("they only re-arrange the 3 trials" in text for text in decision.caveats)
    assert any(
        "resamples only re-arrange the 3 trials" in fact.meaning
        for fact in headline(evidence, decision).facts
    )
    clear = {"a": (200.0, 202.0, 201.0), "b": (98.0, 99.0, 97.0)}
    assert not any("they only re-arrange" in text for text in decide(run(clear, ())).caveats)


def test_equal_engines_are_rarely_told_apart_by_their_entries() -> None:
    """A short form of tests.simulations: an adapter with many equal entries has the luckiest of them."""
    many = World(grids=(1,) * 6 + (1,), adapters=(0,) * 6 + (1,), trials=3, cell=0.1, filters=1)
    assert engine_rates(many, 60).wrong <= 6 / 60
    ahead = World(grids=(1, 1, 1), adapters=(0, 0, 1), ahead=0.4, trials=3, cell=0.03, filters=1)
    found = engine_rates(ahead, 20)
    assert (found.right, found.wrong) == (1.0, 0.0)
    assert isinstance(found.entries, float)
    assert np.isfinite(found.entries)
