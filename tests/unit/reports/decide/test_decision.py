import itertools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.results.result import Measurement, RunResult
from reports.decide.decision import Decision, Standing, decide
from reports.decide.evidence import gather_evidence
from tests.unit.example_results import ENGINES, FILTERS, build, edit, failed, realistic, with_metrics


def change(result: RunResult, alter: Callable[[Measurement], Measurement], **where: Any) -> RunResult:
    """The result with `alter` applied to the cells whose attributes are as given."""
    return edit(
        result,
        lambda cell: (
            alter(cell) if all(getattr(cell, name) == value for name, value in where.items()) else cell
        ),
    )


def standing(decision: Decision, engine: str) -> Standing:
    return next(entry for entry in decision.standings if entry.engine == engine)


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


def test_recall_must_hold_on_every_filter() -> None:
    result = change(
        build(), lambda cell: with_metrics(cell, recall_at_10=0.5), engine="faiss-hnsw", filter="brand"
    )
    decision = decide(result)
    out = standing(decision, "faiss-hnsw")
    assert out.status == "eliminated"
    assert "recall@10 is 0.500 (2,000 queries) with filter brand (needs recall >= 0.95)" in out.sentence
    assert decision.pick is not None
    assert decision.pick.engine == "faiss-ivf"


@pytest.mark.parametrize("task", ["throughput", "offered-load", "updates"])
def test_a_violation_anywhere_fails_the_whole_engine(task: str) -> None:
    """Also one in a setting that nobody would pick, and also where the scenario does not ask."""
    slow = [cell for cell in build(requirements=("recall >= 0.95",)).measurements if cell.task == task]
    culprit = [cell for cell in slow if cell.engine == "faiss-hnsw"][-1]
    result = edit(
        build(requirements=("recall >= 0.95",)),
        lambda cell: with_metrics(cell, violations=1.0) if cell.key == culprit.key else cell,
    )
    decision = decide(result)
    out = standing(decision, "faiss-hnsw")
    assert out.status == "eliminated"
    assert "1 violations" in out.sentence
    assert "violations == 0" in decision.requirements


def test_the_scenario_may_allow_violations() -> None:
    result = build(requirements=("recall >= 0.95", "violations <= 5"))
    result = change(
        result, lambda cell: with_metrics(cell, violations=5.0), engine="faiss-hnsw", kind="search"
    )
    decision = decide(result)
    assert decision.pick is not None
    assert decision.pick.engine == "faiss-hnsw"


def test_an_error_in_one_trial_counts() -> None:
    result = change(
        build(), lambda cell: with_metrics(cell, errors=3.0), engine="faiss-hnsw", filter="1pct", trial=1
    )
    assert "3 errors with filter 1pct (needs errors == 0)" in standing(decide(result), "faiss-hnsw").sentence


def test_what_was_not_measured_does_not_meet_a_requirement() -> None:
    result = build(requirements=("recall >= 0.95", "freshness.p99 < 10ms"))
    decision = decide(result)
    assert decision.verdict == "no decision"
    assert decision.sentence == "No decision: no setting of any engine is known to meet every requirement."
    text = standing(decision, "qdrant").sentence
    assert "P99 freshness not measured (task updates: 120 requests are too few, 1000 are needed)" in text


def test_a_metric_that_no_task_measures() -> None:
    result = edit(build(requirements=("freshness.p50 < 10ms",)), lambda c: None if c.kind == "updates" else c)
    assert "no task of the scenario measures it" in standing(decide(result), "qdrant").sentence
    count = edit(build(requirements=("ghosts == 0",)), lambda c: with_metrics(c, ghosts=None))
    assert "ghosts not measured" in standing(decide(count), "qdrant").sentence


def test_a_crashed_cell_eliminates_and_says_why() -> None:
    result = change(
        build(),
        lambda cell: failed(cell, "Boom: out of memory"),
        engine="faiss-hnsw",
        trial=2,
        filter="10pct",
    )
    out = standing(decide(result), "faiss-hnsw")
    assert out.status == "eliminated"
    assert "trial 3: Boom: out of memory" in out.sentence


def test_a_crash_is_not_hidden_by_requirements_that_say_nothing_of_it() -> None:
    """An engine that cannot take a filter has no throughput there, whatever the requirements are."""
    result = change(
        build(requirements=("recall >= 0",), arrivals=False),
        lambda cell: failed(cell, "unsupported: no such filter"),
        engine="faiss-hnsw",
        filter="10pct",
        kind="search",
    )
    out = standing(decide(result), "faiss-hnsw")
    assert out.status == "eliminated"
    assert "recall@10 not measured (filter 10pct: trial 1: unsupported: no such filter)" in out.sentence


def test_an_engine_that_cannot_delete_is_judged_on_the_rest() -> None:
    result = change(
        build(),
        lambda c: failed(c, "unsupported: it cannot delete items"),
        engine="faiss-hnsw",
        kind="updates",
    )
    decision = decide(result)
    assert decision.pick is not None
    assert decision.pick.engine == "faiss-hnsw"
    assert any(
        "does not support everything" in text and "it cannot delete items" in text
        for text in decision.caveats
    )
    strict = dict(result.scenario) | {"decision": {"requirements": ["recall >= 0.95", "ghosts == 0"]}}
    out = standing(decide(result.model_copy(update={"scenario": strict})), "faiss-hnsw")
    assert out.status == "eliminated"
    assert "ghosts not measured" in out.sentence


def test_latency_is_judged_under_the_offered_rate() -> None:
    """In a closed loop every engine here is well below 50 ms; at 500/s faiss-flat has a queue."""
    decision = decide(build(requirements=("latency.p50 < 50ms", "recall >= 0.95")))
    check = next(
        entry for entry in standing(decision, "faiss-flat").checks if entry.metric == "latency_p50_ms"
    )
    assert (check.status, check.place) == ("fails", "filter 10pct at 500/s")
    without = decide(build(requirements=("latency.p50 < 50ms", "recall >= 0.95"), arrivals=False))
    check = next(
        entry for entry in standing(without, "faiss-flat").checks if entry.metric == "latency_p50_ms"
    )
    assert (check.status, check.place) == ("holds", "filter brand")


def test_only_the_operating_point_is_measured_under_an_offered_rate() -> None:
    evidence = gather_evidence(build(requirements=("latency.p50 < 50ms",)))
    texts = {
        candidate.configuration.search["efSearch"]: candidate.checks[0].reason
        for candidate in evidence.of_engine("faiss-hnsw")
    }
    assert texts[64] == ""
    assert "only the engine's operating point was measured" in texts[16]


@pytest.mark.parametrize(
    ("values", "status", "met"),
    [
        ((0.96, 0.961, 0.962), "holds", True),
        ((0.94, 0.95, 0.97), "too close to call", True),
        ((0.93, 0.95, 0.96), "too close to call", False),
        ((0.90, 0.901, 0.902), "fails", False),
        ((0.95, 0.95, 0.95), "too close to call", True),  # other queries might well fall below it
    ],
)
def test_requirements_take_noise_into_account(values: tuple[float, ...], status: str, met: bool) -> None:
    result = edit(
        build(engines={"qdrant": ENGINES["qdrant"]}, filters={"none": 1.0}, requirements=("recall >= 0.95",)),
        lambda cell: with_metrics(cell, recall_at_10=values[cell.trial]),
    )
    verdict = decide(result).standings[0].checks[0]
    assert (verdict.status, verdict.met) == (status, met)
    assert verdict.value == pytest.approx(np.mean(values))


def test_rounding_does_not_fail_a_value_at_its_limit() -> None:
    """The mean of 0.95 and 0.95 and 0.95 is 0.9499999999999998 in floating point."""
    engines = {name: ENGINES[name] for name in ("qdrant", "milvus")}
    result = edit(
        build(engines=engines, requirements=("recall >= 0.95",)),
        lambda cell: with_metrics(cell, recall_at_10=0.95),
    )
    decision = decide(result)
    assert decision.verdict == "pick"
    assert decision.win_share == 1.0


def test_a_close_call_is_said_and_a_safer_setting_named() -> None:
    recalls = (0.945, 0.951, 0.958)

    def shake(cell: Measurement) -> Measurement:
        return with_metrics(cell, recall_at_10=recalls[cell.trial])

    point = {"efSearch": 64}
    result = edit(
        build(),
        lambda c: (
            shake(c)
            if c.engine == "faiss-hnsw" and c.params.get("search") == point and c.filter == "brand"
            else c
        ),
    )
    decision = decide(result)
    text = next(text for text in decision.caveats if "too close to call" in text)
    assert (
        "recall >= 0.95 is too close to call: 0.951 with filter brand (1,733 queries, 95 % interval 0.9"
        in text
    )
    assert "efSearch=256 meets it clearly" in text


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
        build(), lambda cell: cell.model_copy(update={"flags": [flag]}), engine=engine, trial=0, filter="none"
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

    narrow = decide(change(build(), steal, engine="faiss-ivf", trial=0, kind="search"))
    assert narrow.verdict == "no decision"
    assert "5 % of the CPU time was taken by other machines" in narrow.sentence
    wide = {name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}
    clear = decide(change(build(engines=wide), steal, engine="faiss-hnsw", trial=0, kind="search"))
    assert clear.verdict == "pick"
    assert any("the margin is too large to come from that" in text for text in clear.caveats)


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
    assert decision.verdict == "no decision"
    assert decision.standings[0].status == "leads"
    assert standing(decision, "faiss-hnsw-post").status == "eliminated"
    assert len(gather_evidence(realistic()).candidates) == 14


@pytest.mark.parametrize(
    ("requirement", "where"),
    [
        ("disk_bytes < 1GiB", "task index"),
        ("index_vectors_per_s > 1", "task index"),
        ("freshness.p50 < 1s", "task updates"),
        ("lateness_p99_us < 1s", "filter 10pct at 500/s"),
        ("cpu_s_per_1000 < 1000", "filter brand"),
    ],
)
def test_each_metric_is_judged_where_it_is_measured(requirement: str, where: str) -> None:
    decision = decide(build(engines={"qdrant": ENGINES["qdrant"]}, requirements=(requirement,)))
    verdict = next(entry for entry in decision.standings[0].checks if entry.requirement == requirement)
    assert verdict.met
    assert verdict.place.split(" ")[0] == where.split(" ", maxsplit=1)[0]
    assert ("at" in verdict.place.split(" ")) == ("at" in where.split(" "))


def test_counts_that_nothing_measured_are_not_met() -> None:
    """Where an engine can do nothing of what was asked, it has no violations, and no right to be picked."""
    result = edit(build(), lambda c: failed(c, "unsupported: no filters") if c.engine == "qdrant" else c)
    out = standing(decide(result), "qdrant")
    assert out.status == "eliminated"
    assert "no task of the scenario measures it" in out.sentence
