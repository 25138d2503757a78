"""The tables of cells: sorted and filtered in the page, and as readable without a script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.results.writing import write_result
from reports.page.html import write_report
from tests.unit.example_results import ENGINES, build

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

TWO = {name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}
OPEN = "document.querySelectorAll('#cells details').forEach(part => { part.open = true })"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("cells")
    write_result(run, build(engines=TWO, trials=2))
    return write_report(run)


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(report.as_uri())
    page.evaluate(OPEN)
    yield page
    page.close()


def searches(page: Page) -> Locator:
    return page.locator("#cells details").filter(has_text="Searches")


def column(table: Locator, heading: str) -> list[str]:
    names = [text.strip() for text in table.locator("th").all_inner_texts()]
    rows = table.locator("tbody tr:visible").all()
    return [row.locator("td").nth(names.index(heading)).inner_text() for row in rows]


def test_a_heading_sorts_by_its_column_and_what_is_missing_stands_last(page: Page) -> None:
    table = searches(page).locator("table")
    heading = table.locator("th", has_text="P99 latency, ms")
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    up = column(table, "P99 latency, ms")
    figures = [float(text.replace(",", "")) for text in up if text != "–"]
    assert len(figures) > 4
    assert figures == sorted(figures)
    assert up[len(figures) :] == ["–"] * (len(up) - len(figures))
    assert "–" in up
    heading.locator("button").press("Enter")  # by keyboard, the other way round
    assert heading.get_attribute("aria-sort") == "descending"
    down = column(table, "P99 latency, ms")
    assert down == [*reversed(up[: len(figures)]), *up[len(figures) :]]
    table.locator("th", has_text="settings").locator("button").click()
    assert heading.get_attribute("aria-sort") is None
    assert [text[-3:] for text in column(table, "settings")] != sorted(column(table, "settings"))


def test_texts_sort_by_the_numbers_in_them(page: Page) -> None:
    table = searches(page).locator("table")
    table.locator("th", has_text="settings").locator("button").click()
    settings = list(dict.fromkeys(column(table, "settings")))
    assert [text for text in settings if "hnsw_ef" in text] == ["hnsw_ef=16", "hnsw_ef=64", "hnsw_ef=256"]


def test_words_show_the_rows_that_have_them_all(page: Page) -> None:
    part = searches(page)
    total = part.locator("tbody tr").count()
    box = part.get_by_role("searchbox", name="Show rows with these words")
    box.fill("QDRANT 10pct")
    shown = part.locator("tbody tr:visible")
    assert 0 < shown.count() < total
    assert set(column(part.locator("table"), "engine")) == {"qdrant"}
    assert set(column(part.locator("table"), "filter")) == {"10pct"}
    assert part.get_by_role("status").inner_text() == f"{shown.count()} of {total} rows"
    box.fill("nobody")
    assert part.locator("tbody tr:visible").count() == 0
    box.fill("")
    assert part.locator("tbody tr:visible").count() == total


def test_without_scripts_all_is_there(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    for summary in page.locator("#cells summary").all():
        summary.click()
    assert page.locator("#cells tbody tr:visible").count() == page.locator("#cells tbody tr").count() > 60
    assert page.locator("#cells button, #cells input").count() == 0
    context.close()


def test_no_other_script_runs(page: Page) -> None:
    """As one that a name smuggled in would be."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate(
        """() => { const script = document.createElement('script'); script.textContent = 'window.ran = true';
            document.body.append(script); }"""
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in text for text in said)
