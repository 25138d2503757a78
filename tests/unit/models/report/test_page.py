"""The whole page: every part is there, whatever users write is text, and it needs nothing from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.data.items import Categories, Items
from models.report.page import REPORT, render, write_report
from tests.unit.models.publishing.shop import listings, objects
from tests.unit.models.report.made import cases, model, nearest, trained
from tests.unit.reports.page.parsed import Page

PARTS = ["verdict", "baselines", "slices", "training", "space", "users", "data"]


@pytest.fixture(scope="module")
def html() -> str:
    return render(trained())


def test_every_part_is_there_once(html: str) -> None:
    page = Page(html)
    assert [name for name in page.ids if name in PARTS] == PARTS
    assert len(page.ids) == len(set(page.ids))
    for text in (
        "The model beats the tuned blend",
        "model tiny version 3",
        "3 epochs, of 5 asked for",
        "All 60 listings.",
        "8 of the test cases",
        "17 rows of unknown items",
        "times were read as seconds",
        "by time: 90% of the users",
    ):
        assert text in page.text


def test_it_needs_no_script_and_nothing_from_elsewhere(html: str) -> None:
    page = Page(html)
    assert "script" not in page.tags
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert len(html) < 400_000


def test_it_is_written_into_the_folder_and_the_same_each_time(tmp_path: Path, html: str) -> None:
    path = write_report(tmp_path, trained())
    assert path == tmp_path / REPORT
    assert path.read_text("utf-8") == html


def test_what_users_write_is_text() -> None:
    hostile = "<script>alert(1)</script>&\"'"
    items = replace(
        listings(),
        categories={
            hostile: Categories.encode([f"{hostile}{row % 3}" for row in range(60)]),
            **listings().categories,
        },
        texts={"title": objects([f"{hostile}\u202e{row}" for row in range(60)])},
    )
    told = model(name=hostile)
    told["data"]["features"]["missing"][hostile] = 0
    told["data"]["notes"] = [hostile]
    html = render(trained(items, model=told))
    page = Page(html)
    assert "script" not in page.tags
    assert "alert(1)" in page.text
    assert "\u202e" not in html
    assert "\\u202e" in html


def test_a_catalogue_of_ids_alone_has_a_page() -> None:
    bare = Items(objects([f"i{row}" for row in range(60)]))
    told = model()
    told["data"]["features"] = {"missing": {}, "unknown": {}}
    told["data"]["columns"] = []
    page = Page(render(trained(bare, model=told, filters=type(trained().filters)())))
    assert "listing i" in page.text
    assert "listings are known by their ids alone" in page.text
    assert "No column of categories has more than one value to colour by" in page.text


def test_a_model_whose_vectors_are_all_alike_has_a_page() -> None:
    items = listings()
    same = replace(nearest(items), listings=np.tile(nearest(items).listings[:1], (60, 1)))
    page = Page(render(trained(items, nearest=same)))
    assert "all listings have the same vector" in page.text


def test_few_test_cases_are_examples_all() -> None:
    page = Page(render(trained(test=cases(3))))
    assert page.text.count("Test case ") == 3
