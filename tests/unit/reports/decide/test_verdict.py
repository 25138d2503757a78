"""What blocks a decision: noise, too few trials, flags, interruptions, nothing measured."""

import itertools

import numpy as np
import pytest

from harness.results.result import Measurement, RunResult
from reports.decide.decision import decide
from reports.decide.evidence import gather_evidence
from tests.unit.example_results import ENGINES, build, edit, failed, with_metrics
from tests.unit.reports.decide.deciding import change, standing


def apart() -> RunResult:
    """Every entry as an engine of its own, so that nothing but an entry can be picked."""
    return build(engines={name: (name, *entry[1:]) for name, entry in ENGINES.items()})


def test_no_decision_within_the_noise() -> None:
    engines = {"a": ENGINES["qdrant"], "b": ("other", {}, {"hnsw_ef": [16, 64, 256]}, 1705.0, 0.96)}
    decision = decide(build(engines=engines, noise=0.08))
    assert decision.verdict == "no decision"
    assert decision.pick is None
    assert decision.leader is not None
    assert "is within the noise (the 97 % interval includes a tie)" in decision.sentence
    assert "leads" in {entry.status for entry in decision.standings}


def test_the_resamples_alone_do_not_decide() -> None:
    """Every trial of one engine is faster than every trial of the other, so it wins every resample; yet with
    two trials each the interval of the margin includes a tie."""
    rates = {"a": (100.0, 108.0), "b": (96.0, 99.0)}
    engines = {name: ("x", {}, {}, 100.0, 1.0) for name in rates}
    result = edit(
        build(engines=engines, trials=2, filters={"none": 1.0}, arrivals=False),
        lambda c: with_metrics(c, throughput_qps=rates[c.engine][c.trial]),
    )
    decision = decide(result)
    assert decision.win_share == 1.0
    assert decision.verdict == "no decision"
    assert "within the noise" in decision.sentence


def test_win_shares_are_those_of_a_full_enumeration() -> None:
    """Against every pair of resamples of two engines, counted one by one."""
    rates = {"a": (100.0, 130.0, 90.0), "b": (95.0, 99.0, 125.0)}
    engines = {name: ("x", {}, {}, 100.0, 1.0) for name in rates}
    result = edit(
        build(engines=engines, filters={"none": 1.0}, arrivals=False),
        lambda c: with_metrics(c, throughput_qps=rates[c.engine][c.trial]),
    )
    means = {
        name: [np.mean(draw) for draw in itertools.product(values, repeat=3)]
        for name, values in rates.items()
    }
    wins = np.mean([a > b for a in means["a"] for b in means["b"]])
    shares = gather_evidence(result).shares
    assert shares["a"] == pytest.approx(wins)
    assert 0.5 < shares["a"] < 0.9
    assert decide(result).verdict == "no decision"
    assert "of the resamples (90 % are required)" in decide(result).sentence


def test_requirements_are_judged_again_in_each_resample() -> None:
    """The faster engine meets the floor on the mean of its trials, but not in every resample of them."""
    engines = {"fast": ("x", {}, {}, 1000.0, 1.0), "slow": ("y", {}, {}, 100.0, 1.0)}
    recalls = (0.94, 0.951, 0.97)
    result = edit(
        build(engines=engines, filters={"none": 1.0}, arrivals=False, requirements=("recall >= 0.95",)),
        lambda c: with_metrics(c, recall_at_10=recalls[c.trial]) if c.engine == "fast" else c,
    )
    holds = np.mean([np.mean(draw) >= 0.95 for draw in itertools.product(recalls, repeat=3)])
    decision = decide(result)
    assert decision.win_share == pytest.approx(holds)
    assert holds < 0.9
    assert decision.verdict == "no decision"
    assert {entry.engine: entry.win_share for entry in decision.standings}["slow"] == pytest.approx(1 - holds)


def test_many_trials_are_resampled_at_random_but_repeatably() -> None:
    engines = {"a": ENGINES["qdrant"], "b": ("other", {}, {"hnsw_ef": [16, 64, 256]}, 1705.0, 0.96)}
    result = build(engines=engines, noise=0.1, trials=7)
    first, second = decide(result), decide(result)
    assert first == second
    assert first.win_share is not None
    assert 0.05 < first.win_share < 1


def test_one_trial_decides_nothing() -> None:
    decision = decide(build(trials=1))
    assert decision.verdict == "no decision"
    assert "with one trial the noise is unknown" in decision.sentence
    assert decision.win_share is None


@pytest.mark.parametrize("engine", ["faiss-ivf", "milvus"])
def test_without_a_second_trial_of_any_rival_no_lead_is_shown(engine: str) -> None:
    assert decide(build()).verdict == "pick"
    decision = decide(edit(build(), lambda c: None if c.engine == engine and c.trial else c))
    assert decision.verdict == "no decision"
    assert f"with one trial of {engine} the noise is unknown" in decision.sentence


def test_a_single_engine_is_only_a_candidate() -> None:
    decision = decide(build(engines={"qdrant": ENGINES["qdrant"]}))
    assert decision.verdict == "only candidate"
    assert decision.pick is not None
    assert "no other engine was measured" in decision.sentence
    once = decide(build(engines={"qdrant": ENGINES["qdrant"]}, trials=1))
    assert once.verdict == "only candidate"
    assert "There was one trial: how much the figures vary is unknown." in once.caveats


def test_the_only_engine_that_meets_the_requirements_is_picked() -> None:
    decision = decide(build(requirements=("recall >= 1",)))
    assert decision.pick is not None
    assert decision.pick.engine == "faiss-flat"
    assert decision.runner_up is None
    assert "no other engine meets every requirement" in decision.sentence
    assert decision.win_share == 1.0


@pytest.mark.parametrize(
    ("engine", "flag"),
    [("faiss-hnsw", "something new"), ("faiss-ivf", "something new"), ("faiss-ivf", "client-bound")],
)
def test_flags_on_the_leader_or_the_runner_up_block_a_decision(engine: str, flag: str) -> None:
    result = change(
        apart(), lambda cell: cell.model_copy(update={"flags": [flag]}), engine=engine, trial=0, filter="none"
    )
    decision = decide(result)
    assert decision.verdict == "no decision"
    assert engine in decision.reasons[0]


def test_flags_elsewhere_do_not() -> None:
    result = change(build(), lambda c: c.model_copy(update={"flags": ["something new"]}), engine="milvus")
    assert decide(result).verdict == "pick"


def test_stolen_time_blocks_a_narrow_decision_only() -> None:
    def steal(cell: Measurement) -> Measurement:
        return cell.model_copy(update={"flags": ["steal 9.3%"]})

    narrow = decide(change(apart(), steal, engine="faiss-ivf", trial=0, kind="search"))
    assert narrow.verdict == "no decision"
    assert "5 % of the CPU time was taken by other machines" in narrow.sentence
    wide = {name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}
    clear = decide(change(build(engines=wide), steal, engine="faiss-hnsw", trial=0, kind="search"))
    assert clear.verdict == "pick"
    assert any("the margin is too large to come from that" in text for text in clear.caveats)


def test_lost_time_of_both_is_told_once() -> None:
    def steal(cell: Measurement) -> Measurement:
        return cell.model_copy(update={"flags": ["steal 9.3%"]})

    decision = decide(change(apart(), steal, trial=0, kind="search"))
    (told,) = (reason for reason in decision.reasons if "CPU time" in reason)
    assert told.count(" of the cells behind ") == 2
    assert " and " in told
    assert not [text for text in decision.caveats if "CPU time" in text]


def test_other_programs_on_the_machine_block_all_but_the_clearest_decision() -> None:
    def busy(cell: Measurement) -> Measurement:
        return cell.model_copy(update={"flags": ["contention 31%"]})

    wide = {name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}
    assert decide(build(engines=wide)).verdict == "pick"
    narrow = decide(change(build(engines=wide), busy, engine="faiss-hnsw", trial=0, kind="search"))
    assert narrow.verdict == "no decision"
    assert "other programs on this machine took more than 5 % of its CPU time" in narrow.sentence


def test_an_interrupted_run_decides_nothing() -> None:
    decision = decide(build().model_copy(update={"finished_at": None}))
    assert decision.verdict == "no decision"
    assert "not complete" in decision.sentence


def test_cells_that_an_interruption_took_are_missed() -> None:
    result = edit(build(), lambda c: None if c.engine == "faiss-hnsw" and c.filter == "brand" else c)
    out = standing(decide(result), "faiss-hnsw")
    assert out.status == "not judged"
    assert "the run ended before it" in out.sentence
    patchy = edit(
        build(arrivals=False, requirements=("violations == 0",)),
        lambda c: (
            None
            if c.engine == "qdrant" and (c.filter == "brand") == (c.trial == 0) and c.kind == "search"
            else c
        ),
    )
    assert "no trial covers every filter" in standing(decide(patchy), "qdrant").sentence


def test_nothing_measured() -> None:
    decision = decide(build().model_copy(update={"measurements": []}))
    assert decision.verdict == "no decision"
    assert "no search with a closed loop was measured" in decision.sentence
    assert {entry.status for entry in decision.standings} == {"not measured"}
    dead = edit(
        build(),
        lambda c: failed(c, "ImportError: no milvus") if c.engine == "milvus" and c.kind == "index" else c,
    )
    dead = edit(dead, lambda c: None if c.engine == "milvus" and c.kind != "index" else c)
    assert "milvus was not measured: ImportError: no milvus" in standing(decide(dead), "milvus").sentence


def test_a_throughput_of_zero_is_handled() -> None:
    engines = {"a": ENGINES["qdrant"], "b": ENGINES["faiss-flat"]}
    result = change(
        build(engines=engines), lambda c: with_metrics(c, throughput_qps=0.0), engine="b", kind="search"
    )
    decision = decide(result)
    assert decision.verdict == "no decision"
    assert "a figure is 0, so the margin cannot be computed" in decision.sentence


def test_an_open_choice_between_settings_of_one_engine_is_named_as_such() -> None:
    engines = {
        name: ("faiss", {"kind": name}, {}, 1000.0 + i, 1.0) for i, name in enumerate(("hnsw", "flat"))
    }
    decision = decide(build(engines=engines, noise=0.05))
    assert decision.verdict == "no decision"
    assert any(text.startswith("Whatever its setting, faiss comes first in") for text in decision.caveats)
