"""The operating point, and requirements that break."""

from __future__ import annotations

from harness.results.result import Measurement
from reports.gate.compare import compare
from tests.unit.example_results import ENGINES, build, edit, with_metrics
from tests.unit.reports.gate.compared import TWO, found, gate


def test_an_operating_point_that_moves_is_compared_all_the_same() -> None:
    def moved(cell: Measurement) -> Measurement:
        params = cell.params | {"search": {"hnsw_ef": 256}}
        hit = cell.engine == "qdrant" and cell.executor == "arrival_rate"
        return cell.model_copy(update={"params": params}) if hit else cell

    report = gate(moved)
    assert not found(report, "missing")
    settings = {f.settings for f in report.findings if f.task == "offered-load" and f.engine == "qdrant"}
    assert settings == {""}


def lose_recall(cell: Measurement) -> Measurement:
    return with_metrics(cell, recall_at_10=0.9) if cell.engine == "qdrant" and cell.kind == "search" else cell


def test_a_requirement_that_held_and_breaks_fails_it() -> None:
    report = compare(
        [build(engines=TWO)], edit(build(seed=8, engines=TWO), lose_recall), tolerance={"recall_at_10": 0.5}
    )
    broken = found(report, "broken")
    assert [finding.engine for finding in broken] == ["qdrant"]
    assert broken[0].note.startswith("recall@10 is 0.900 (")


def test_a_requirement_that_never_held_fails_only_when_nothing_meets_it() -> None:
    before, after = edit(build(engines=TWO), lose_recall), edit(build(seed=8, engines=TWO), lose_recall)
    report = compare([before], after)
    assert report.outcome == "passed"
    assert any(finding.note.startswith("not met before either") for finding in report.findings)
    only = {"qdrant": ENGINES["qdrant"]}
    alone = [edit(build(seed=seed, engines=only), lose_recall) for seed in (7, 8)]
    assert [finding.engine for finding in found(compare(alone[:1], alone[1]), "broken")] == ["qdrant"]
    mended = compare([before], build(seed=8, engines=TWO))
    assert "requirements" in {finding.task for finding in found(mended, "improved")}


def test_a_requirement_too_close_to_call_does_not_fail_it() -> None:
    recalls = (0.945, 0.949, 0.954)
    close = edit(
        build(seed=8, engines=TWO),
        lambda c: with_metrics(c, recall_at_10=recalls[c.trial]) if c.engine == "qdrant" else c,
    )
    report = compare([build(engines=TWO)], close, tolerance={"recall_at_10": 0.5})
    assert not found(report, "broken")
    assert "too close to call" in {finding.note for finding in report.findings}


def test_an_engine_without_searches_has_its_requirements_broken() -> None:
    report = gate(lambda c: None if c.engine == "qdrant" and c.kind == "search" else c)
    assert [finding.note for finding in found(report, "broken")] == ["it was not measured"]


def test_an_interrupted_run_is_mentioned() -> None:
    current = build(seed=8, engines=TWO).model_copy(update={"finished_at": None})
    assert any("is not complete" in note for note in compare([build(engines=TWO)], current).notes)
