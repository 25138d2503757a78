"""The page of a service with a trained model: its users, and texts ranked by meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from models.encoding.model import Model
from tests.browser.opened import Opened
from tests.service.launch import Service, running
from tests.unit.models.encoding.folders import publish, write_model
from tests.unit.models.features.catalogues import catalogue

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def encoding(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Service]:
    made = Model.load(write_model(tmp_path_factory.mktemp("made") / "model"))
    publish(made, catalogue())
    with running(made.folder.parent, "--model", "model", BAKEOFF_SERVICE_RETRIEVAL__LATE_S="2") as started:
        yield started


def test_its_users_and_texts_by_meaning(browser: Browser, encoding: Service) -> None:
    opened = Opened(browser.new_page(), encoding).open()
    assert opened.page.get_by_label("Recommend to").input_value() == "someone"
    assert opened.page.get_by_role("region", name="What this user took").get_by_role("button").count() == 1
    assert opened.ids("Approximate")
    assert opened.page.locator(".card img").count() == 0  # no manifest says that these vectors are pictures
    opened.find("wool coat")
    words = opened.ids("By words")
    opened.does(lambda: opened.page.get_by_label("Rank texts by").select_option("meaning"))
    meaning = opened.ids("Exact")
    assert {*meaning} - {*words}
    wanted = encoding.ask(
        "POST", "/v1/search", {"text": "wool coat", "rank": "dense", "mode": "exact", "k": 12}
    )
    assert meaning == [hit["id"] for hit in wanted.body["hits"]]
    opened.does(lambda: opened.page.get_by_label("Rank texts by").select_option("both"))
    opened.column("Exact").get_by_role("button", name="Why").first.click()
    explained = opened.page.get_by_role("dialog").get_by_role("table", name="How it was retrieved")
    explained.wait_for()
    assert {"dense", "text"} & {*explained.get_by_role("rowheader").all_inner_texts()}
    assert opened.messages == []
    opened.page.close()
