"""The comparison as a page and as Markdown."""

from __future__ import annotations

from pathlib import Path

from harness.results.result import RunResult
from reports.comparison.page import PAGE, TEXT, render, write_comparison
from reports.comparison.runs import letter
from reports.comparison.side_by_side import SideBySide, side_by_side
from tests.unit.example_results import ENGINES, build, realistic
from tests.unit.reports.page.parsed import Page

TWO = {name: ENGINES[name] for name in ("faiss-hnsw", "faiss-flat")}
RUN = build(engines=TWO)


def view(*results: RunResult) -> SideBySide:
    return side_by_side([(f"run {place} <b>", result) for place, result in enumerate(results)])


def test_runs_are_called_by_letters() -> None:
    assert [letter(place) for place in (0, 25, 26, 27, 52, 702)] == ["A", "Z", "AA", "AB", "BA", "AAA"]


def test_the_headline_says_what_each_run_picks() -> None:
    other = build(engines=TWO, speed={"faiss-flat": 30.0})
    alone = build(engines={"faiss-flat": ENGINES["faiss-flat"]})
    none = build(engines={"faiss-ivf": ENGINES["faiss-ivf"]}, requirements=("recall >= 1", "violations == 0"))
    assert view(RUN, RUN).headline == "A and B pick faiss-hnsw"
    assert view(RUN, other, alone).headline == "A picks faiss-hnsw, B and C pick faiss-flat"
    assert view(RUN, none).headline == "A picks faiss-hnsw, no decision in B"
    assert view(RUN, realistic()).headline == "A picks faiss-hnsw, B picks faiss"  # which entry of it is open
    assert view(none, none).headline == "No decision in A and B"


def test_the_page_and_the_text_have_every_part(tmp_path: Path) -> None:
    slower = build(engines=TWO, seed=8, speed={"faiss-hnsw": 0.5})
    slower.engines["faiss-hnsw"]["version"] = "9.9"
    path = write_comparison(tmp_path, view(RUN, slower))
    text = (tmp_path / TEXT).read_text(encoding="utf-8")
    page = Page(path.read_text(encoding="utf-8"))
    assert path == tmp_path / PAGE
    assert {"decisions", "differences", "charts", "engines", "compared-0"} <= set(page.ids)
    for shown in (page.text, text.replace("\\", "")):
        for expected in (
            "A and B pick faiss-hnsw",
            "9.9",
            "Throughput (mix), queries/s",
            "Build time, s",
            "run 1",
            "Welch",
        ):
            assert expected in shown, expected
    assert "Throughput (mix): most changed: faiss-hnsw in B, 0.5" in page.text
    assert "Peak memory: much the same" in page.text
    assert "▼" in text and "<b>" not in text
    assert "<b>run" not in path.read_text() and "run 1 &lt;b&gt;" in path.read_text()


def test_what_forbids_a_comparison_stands_first() -> None:
    other = RUN.model_copy(update={"dataset": RUN.dataset | {"rows": 7}, "finished_at": None})
    found = view(RUN, other)
    assert [text.partition(" (")[0] for text in found.warnings] == [
        "B and A have different data",
        "B is not complete",
    ]
    text = render(found)
    assert text.index("B and A have different data") < text.index("<h1>")
    assert "Throughput (mix): not comparable" in text
    sound = render(view(RUN, RUN))
    assert 'class="banner"' not in sound
    assert "Nothing that the runs record." in sound


def test_of_many_engines_and_runs_the_first_are_drawn() -> None:
    many = build(
        engines={f"e{n}": ("x", {}, {}, 1000.0 - n, 0.99) for n in range(9)}, trials=2, arrivals=False
    )
    text = render(view(many, many, many))
    assert "Drawn: the first 8 of 9 engines." in text
    assert "Drawn:" not in render(view(RUN, RUN))


def test_a_run_without_searches_is_shown_as_one() -> None:
    bare = RUN.model_copy(update={"measurements": [c for c in RUN.measurements if c.kind == "index"]})
    text = render(view(bare, bare))
    assert "No decision in A and B" in text
    assert "not measured" in text
