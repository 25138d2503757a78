"""Requirements: where they are judged, and how noise counts."""

import numpy as np
import pytest

from harness.results.result import Measurement
from reports.decide.decision import decide
from reports.decide.evidence import gather_evidence
from tests.unit.example_results import ENGINES, build, edit, failed, with_metrics
from tests.unit.reports.decide.deciding import change, standing


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
