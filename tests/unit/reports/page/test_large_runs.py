"""A large run is shown in part; every cell is in the CSV file."""

import re
from pathlib import Path

import pandas as pd
import pytest

from harness.results.writing import write_result
from reports.charts.drawn import MOST_PANELS
from reports.decide.cells import Cells
from reports.page.export import cells_markdown
from reports.page.html import write_report
from reports.page.tables.cell_table import cell_tables
from reports.page.views import cautions
from tests.unit.example_results import build, failed, realistic
from tests.unit.reports.page.parsed import Page, many, sound_page


def test_a_large_run_draws_a_part_and_says_so(tmp_path: Path) -> None:
    result = many(engines=6, filters=30)
    write_result(tmp_path, result)
    text = write_report(tmp_path).read_text(encoding="utf-8")
    page = Page(text)
    recall = [name for name in page.ids if re.fullmatch(r"recall-\d+", name)]
    assert len(recall) == MOST_PANELS
    assert "12 of 30 filters, from the widest to the narrowest" in page.text
    assert "12 of 30 indexes in panels of lines and 24 in the others" in page.text
    takeaways = [words for words in page.words if re.match(r"f(0|29): ", words)]
    assert any(words.startswith("f0: ") for words in takeaways)  # the widest and the narrowest are among them
    assert any(words.startswith("f29: ") for words in takeaways)
    assert f"Searches ({sum(cell.kind == 'search' for cell in result.measurements):,}; 500 shown" in page.text
    frame = pd.read_csv(tmp_path / "cells.csv")
    assert len(frame) == len(result.measurements)
    assert len(text) < 3_000_000


def test_a_small_run_draws_everything() -> None:
    text = Page(sound_page()).text
    assert "Drawn:" not in text
    assert "shown, what failed" not in text


def test_what_failed_stays_in_the_table_of_a_large_run() -> None:
    cells = many(filters=12, trials=4).measurements
    marked = [
        failed(cell, "broken") if number == 300 else cell.model_copy(update={"flags": ["steal 9 %"]}) if number == 400
        else cell
        for number, cell in enumerate(cells)
    ]  # fmt: skip
    tables = cell_tables(marked, most=10)
    search = next(table for table in tables if table.title == "Searches")
    assert search.count == sum(cell.kind == "search" for cell in cells)
    assert [row.kind for row in search.rows] == ["failed", "flagged"] + ["ok"] * 8


def test_every_cell_is_in_the_csv_file(tmp_path: Path) -> None:
    result = realistic()
    result.measurements[0] = result.measurements[0].model_copy(
        update={"flags": ["a", "b"], "error": 'said "no", \udc80\nand again'}
    )
    write_result(tmp_path, result)
    write_report(tmp_path)
    frame = pd.read_csv(tmp_path / "cells.csv", keep_default_na=False, na_values=[""])
    assert list(frame["engine"]) == [cell.engine for cell in result.measurements]
    assert frame["error"][0] == 'said "no", \\udc80\nand again'
    assert frame["flags"][0] == "a; b"
    for row, cell in enumerate(result.measurements):
        for metric, value in cell.metrics.items():
            assert value is None or frame[metric][row] == pytest.approx(value, rel=1e-12)
        for metric, reason in cell.reasons.items():
            assert f"{metric}: {reason}" in frame["missing"][row]


def test_many_kinds_of_failures_are_counted() -> None:
    numbered = [failed(cell, f"broken {number}") for number, cell in enumerate(build().measurements[:30])]
    found = cautions(Cells(build().model_copy(update={"measurements": numbered})))
    assert len(found) == 21
    assert found[-1].place == "10 more kinds of failures"


def test_every_cell_is_in_the_markdown_and_none_breaks_its_table() -> None:
    result = many(engines=2, filters=40, trials=4)
    result.measurements[0] = failed(result.measurements[0], "a | b\n* c <d>")
    lines = cells_markdown(result).splitlines()
    titles = [line for line in lines if line.startswith("## ")]
    rows = [line for line in lines if line.startswith("| ")]
    assert len(result.measurements) > 500
    assert len(rows) == len(result.measurements) + 2 * len(titles)
    assert r"| a \| b \* c &lt;d&gt;; no disk" in rows[2]
    searches = lines[lines.index("## Searches") + 2 :]
    assert len({line.count("|") for line in searches[: searches.index("")]}) == 1
