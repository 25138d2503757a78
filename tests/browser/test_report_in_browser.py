"""The report as people see it: opened in a headless Chromium, at the width of a desk and of a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.results.result import RunResult
from harness.results.writing import write_result
from reports.page.html import write_report
from tests.unit.example_results import ENGINES, build, realistic

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZES = {"desk": (1280, 900), "phone": (390, 844)}


def long_names() -> RunResult:
    """Names as long as users may choose, without a place to break."""
    label = "a-very-long-engine-label-" + "x" * 60
    return build(
        engines={label: ENGINES["qdrant"], "milvus": ENGINES["milvus"]}, filters={"f" * 80: 1.0, "10pct": 0.1}
    )


RUNS = {"pick": build, "realistic": realistic, "long-names": long_names}


@pytest.fixture(scope="module", params=RUNS)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp(request.param)
    write_result(run, RUNS[request.param]())
    return write_report(run)


class Opened:
    """A page with everything it said and asked for."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page, self.messages, self.requests = page, list[str](), list[str]()
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.as_uri())


@pytest.fixture(params=SIZES)
def opened(browser: Browser, report: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    width, height = SIZES[request.param]
    page = browser.new_page(viewport={"width": width, "height": height})
    yield Opened(page, report)
    page.close()


def test_it_is_silent_and_asks_for_nothing(opened: Opened, report: Path) -> None:
    opened.page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    assert opened.messages == []
    assert opened.requests == [report.as_uri()]


def test_the_decision_is_visible_without_scrolling(opened: Opened) -> None:
    size = opened.page.viewport_size
    assert size is not None
    for selector in ("#decision h1", "#decision .why"):
        box = opened.page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= size["height"]
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size["width"]
    assert "eliminated" in opened.page.locator("#requirements").inner_text() or "eligible" in (
        opened.page.locator("#requirements").inner_text()
    )


def test_every_figure_is_drawn(opened: Opened) -> None:
    figures = opened.page.locator("svg.chart")
    assert figures.count() >= 8
    for figure in figures.all():
        box = figure.bounding_box()
        assert box is not None
        assert box["width"] > 250
        assert box["height"] > 80
        assert figure.locator("text").count() >= 4
        assert figure.locator("path, use").count() >= 4
        assert len(figure.get_attribute("aria-label") or "") > 20


def test_text_in_figures_is_legible_and_inside(opened: Opened) -> None:
    """No text smaller than 10 px, none cut off at the figure's or the page's edge."""
    found = opened.page.evaluate(
        """() => [...document.querySelectorAll('svg.chart')].flatMap(figure => {
            const frame = figure.getBoundingClientRect(), scale = frame.width / figure.viewBox.baseVal.width;
            return [...figure.querySelectorAll('text')].map(text => {
                const box = text.getBoundingClientRect();
                const size = parseFloat(getComputedStyle(text).fontSize) * scale;
                return {text: text.textContent, size, out: Math.max(frame.left - box.left, box.right - frame.right)};
            });
        })"""
    )
    assert len(found) > 50
    assert min(entry["size"] for entry in found) >= 10
    # Browsers draw with other fonts than the one the figures were laid out with.
    assert [entry for entry in found if entry["out"] > 8] == []


def test_the_page_does_not_scroll_sideways(opened: Opened) -> None:
    opened.page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    width = opened.page.evaluate("document.documentElement.scrollWidth")
    assert width <= (opened.page.viewport_size or {"width": 0})["width"]


def test_wide_tables_scroll_within_their_own_box(opened: Opened) -> None:
    opened.page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    overflow = opened.page.evaluate(
        """() => [...document.querySelectorAll('#cells .scroll')].map(
            box => [box.scrollWidth > box.clientWidth, box.getBoundingClientRect().right <= innerWidth])"""
    )
    assert len(overflow) == 3
    assert any(wide for wide, _ in overflow)
    assert all(inside for _, inside in overflow)


def test_no_other_table_scrolls_and_no_heading_is_clipped(opened: Opened) -> None:
    """At the width of a desk they have room, on a phone their rows are cards."""
    wide = opened.page.evaluate(
        """() => [...document.querySelectorAll('.scroll')].filter(box => !box.closest('#cells'))
            .filter(box => box.scrollWidth > box.clientWidth).map(box => box.closest('section').id)"""
    )
    assert wide == []


def test_a_card_names_each_of_its_figures(opened: Opened) -> None:
    cells = opened.page.locator("#requirements tbody tr:first-child td[data-label]")
    labels = cells.evaluate_all(
        "cells => cells.map(cell => getComputedStyle(cell, '::before').content.replaceAll('\"', ''))"
    )
    narrow = (opened.page.viewport_size or {"width": 0})["width"] < 500
    assert opened.page.locator("#requirements thead").is_visible() != narrow
    assert ("Memory" in labels) == narrow


def test_panels_stack_on_a_phone(opened: Opened) -> None:
    lefts = opened.page.eval_on_selector_all("#recall figure", "figures => figures.map(f => f.offsetLeft)")
    assert len(lefts) >= 2
    narrow = (opened.page.viewport_size or {"width": 0})["width"] < 500
    assert (len(set(lefts)) == 1) == narrow
