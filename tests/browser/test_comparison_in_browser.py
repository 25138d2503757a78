"""The comparison of runs, opened in a headless Chromium at the width of a desk and of a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports.comparison.page import write_comparison
from reports.comparison.side_by_side import side_by_side
from tests.unit.example_results import ENGINES, build, realistic

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
LONG = "a-very-long-name-" + "x" * 80


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs, one of them with names that have no place to break."""
    odd = build(engines={LONG: ENGINES["qdrant"]}, filters={"none": 1.0, "f" * 80: 0.1})
    runs = [("before", realistic()), ("after", build(seed=8)), (LONG, odd), ("again", build(seed=9))]
    return write_comparison(tmp_path_factory.mktemp("compared"), side_by_side(runs))


@pytest.fixture(params=SIZES)
def page(browser: Browser, comparison: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = SIZES[request.param]
    page = browser.new_page(viewport={"width": width, "height": height})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda asked: said.append(asked.url))
    page.goto(comparison.as_uri())
    yield page
    page.close()
    assert said == [comparison.as_uri()]  # nothing but the page itself, and no complaint


def test_it_does_not_scroll_sideways(page: Page) -> None:
    assert (
        page.evaluate("document.documentElement.scrollWidth") <= (page.viewport_size or {"width": 0})["width"]
    )


def test_what_forbids_a_comparison_and_the_decisions_come_first(page: Page) -> None:
    banner, headline = page.locator(".banner").first.bounding_box(), page.locator("h1").bounding_box()
    assert banner is not None and headline is not None and page.viewport_size is not None
    assert 0 <= banner["y"] < headline["y"]
    assert headline["y"] + 40 < page.viewport_size["height"]


def test_the_names_of_figures_stay_while_a_table_scrolls(page: Page) -> None:
    """Each table scrolls in its own box, and what a row shows can be read at its end as well."""
    places = page.evaluate(
        """() => [...document.querySelectorAll('#engines .scroll')].map(box => {
            box.scrollLeft = box.scrollWidth;
            const name = box.querySelector('tbody td').getBoundingClientRect(), frame = box.getBoundingClientRect();
            return [name.left - frame.left, frame.right - name.right, frame.right <= innerWidth];
        })"""
    )
    assert len(places) == 7
    for left, room, inside in places:
        assert abs(left) <= 2 and room > 100 and inside
