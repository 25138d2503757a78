"""The summary in the terminal."""

from pathlib import Path

import pytest

from harness.results.result import Measurement, RunResult
from reports.decide.decision import conclude
from reports.decide.evidence import gather_evidence
from reports.page.summary import SummaryRow, summary_rows
from reports.wording import number
from tests.unit.example_results import build, edit, failed, realistic, with_metrics
from tests.unit.reports.page.parsed import many
from tests.unit.reports.summaries import summary_of


def summary(result: RunResult) -> list[SummaryRow]:
    evidence = gather_evidence(result)
    return summary_rows(evidence, conclude(evidence))


def test_summary_of_a_run() -> None:
    rows = {(row.engine, row.settings): row for row in summary(realistic())}
    assert len(rows) == 14
    leader = rows["faiss-hnsw", "M=16, kind=hnsw; efSearch=64"]
    assert leader.verdict == "✔ pick"
    assert rows["faiss-ivf", "kind=ivf; nprobe=16"].verdict == "open"
    assert leader.recall == pytest.approx(0.951, abs=0.001)
    assert rows["milvus", ""].failed_cells == 1
    assert rows["milvus", ""].verdict == "out"
    assert rows["milvus", ""].p99_ms is None
    picked = [row for row in summary(build(objective="min cpu_s_per_1000")) if row.verdict == "✔ pick"]
    assert [row.settings for row in picked] == ["M=16, kind=hnsw; efSearch=64"]
    assert picked[0].qps is not None


def test_summary_prints_names_as_they_are() -> None:
    from rich.console import Console

    with Path("/dev/null").open("w") as nowhere:
        console = Console(width=140, record=True, file=nowhere)
        result = edit(
            build(trials=2),
            lambda c: c.model_copy(update={"engine": "[red]x[/red]"}) if c.engine == "milvus" else c,
        )
        console.print(summary_of(result))
    text = console.export_text()
    assert "[red]x[/red]" in text
    assert "Pick faiss-hnsw" in text


def test_where_each_engine_wins_is_told_below_the_table() -> None:
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as captured:
        console.print(summary_of(build(trials=2), 200))
    assert (
        "faiss-hnsw wins with none; faiss-hnsw and faiss-ivf are not told apart with 10pct" in captured.get()
    )


def test_no_figure_of_the_summary_is_cut_off_in_a_narrow_terminal() -> None:
    from rich.console import Console

    texts = []
    for width in (40, 109, 110, 140):
        with Path("/dev/null").open("w") as nowhere:
            console = Console(width=width, record=True, file=nowhere)
            console.print(summary_of(realistic(), width))
        texts.append(console.export_text())
        assert "…" not in texts[-1]
        for row in summary(realistic()):
            if row.qps is not None:
                assert number(row.qps) in texts[-1]
    assert ["┏" in text for text in texts] == [False, False, True, True]


def test_the_summary_of_many_settings_shows_the_best_of_each_engine() -> None:
    result = many(engines=2, settings_of_each=12)
    evidence = gather_evidence(result)
    rows = summary_rows(evidence, conclude(evidence))
    assert [row.engine for row in rows] == list(evidence.cells.engines)
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as captured:
        console.print(summary_of(result, 200))
    assert f"all {len(evidence.candidates)} are in the report" in captured.get()


def test_a_summary_without_figures_is_printed() -> None:
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as captured:
        console.print(summary_of(edit(build(trials=2), lambda cell: failed(cell, "Boom")), 200))
    assert "failed cells" in captured.get()


def test_wrong_answers_of_a_cell_that_failed_are_in_the_summary() -> None:
    """A task that fails after its requests (items are missing, say) keeps their counts."""

    def break_updates(cell: Measurement) -> Measurement:
        if cell.kind != "updates" or cell.engine != "qdrant":
            return cell
        counted = with_metrics(cell, violations=4.0, errors=2.0)
        return counted.model_copy(update={"error": "500 items are missing"}) if cell.trial == 1 else counted

    rows = summary(edit(build(trials=3), break_updates))
    counts = {(row.violations, row.errors, row.failed_cells) for row in rows if row.engine == "qdrant"}
    assert counts == {(12, 6, 1)}
    assert {(row.violations, row.errors) for row in rows if row.engine != "qdrant"} == {(0, 0)}
