"""The service's page as people use it: in a headless Chromium, on a service of its own."""

from __future__ import annotations

import re

import pytest

from tests.browser.opened import Opened

DESK, PHONE = (1280, 900), (390, 844)
both = pytest.mark.parametrize("opened", [DESK, PHONE], ids=["desk", "phone"], indirect=True)


def test_a_user_is_recommended_approximately_and_exactly(opened: Opened) -> None:
    opened.open()
    opened.does(lambda: opened.page.get_by_label("Recommend to").select_option(index=2))
    history = opened.page.get_by_role("region", name="What this user took")
    assert "simulated 2" in history.inner_text()
    assert history.get_by_role("button").count() == 6
    found, wanted = opened.ids("Approximate"), opened.ids("Exact")
    assert len(found) == len(wanted) == 12
    shared = len({*found} & {*wanted})
    assert 0 < shared < 12
    assert f"holds {shared} of the 12 listings" in opened.told
    assert f"overlap@12 is {100 * shared / 12:.1f} %" in opened.told
    marked = opened.column("Exact").locator(".card", has_text="missed by the approximate answer")
    assert marked.evaluate_all("cards => cards.map(card => card.dataset.id)") == [
        one for one in wanted if one not in found
    ]
    for name in ("Approximate", "Exact"):
        assert re.search(
            r"[\d.]+ ms in the service's stages, [\d.]+ ms round trip", opened.column(name).inner_text()
        )
    assert opened.messages == []


def test_where_nothing_is_missed_it_says_so(opened: Opened) -> None:
    opened.open()
    opened.does(lambda: opened.box("Zara").check())  # few enough to be looked at one by one
    assert opened.ids("Approximate") == opened.ids("Exact")
    assert "in the same order: overlap@12 is 100 %" in opened.told
    assert "missed" not in opened.page.locator("#answers").inner_text()


def test_words_are_searched_and_filters_hold(opened: Opened) -> None:
    opened.open()
    opened.find("shirt")
    assert len(opened.ids("By words")) == 12
    opened.does(lambda: opened.box("Arket").check())
    opened.page.get_by_role("group", name="price").get_by_label("to").fill("60")
    opened.does(lambda: opened.page.keyboard.press("Tab"))
    hits = opened.page.locator(".card").evaluate_all("cards => cards.map(card => card.innerText)")
    assert hits
    assert all("Arket" in text and float(text.split("price ")[1].split()[0]) <= 60 for text in hits)
    opened.page.go_back()
    opened.page.wait_for_function("() => document.querySelector('[data-bound=lte]').value === ''")
    assert opened.box("Arket").is_checked()
    opened.settled()
    opened.does(lambda: opened.page.get_by_role("button", name="Clear filters").click())
    assert not opened.box("Arket").is_checked()
    assert opened.messages == []


def test_tags_are_chosen_one_or_all_and_what_is_missing_too(opened: Opened) -> None:
    opened.open()
    colours = opened.page.get_by_role("group", name="colours")
    opened.does(lambda: colours.get_by_role("checkbox", name="red").check())
    opened.does(lambda: colours.get_by_role("checkbox", name="blue").check())

    def shown() -> list[set[str]]:
        facts = opened.column("Exact").locator(".card .quiet").all_inner_texts()
        return [{"red", "blue"} & {word.strip() for word in text.split("·")} for text in facts]

    assert {"red"} in shown()
    opened.does(
        lambda: colours.get_by_role("combobox", name="How colours match").select_option("all of these")
    )
    assert shown() == [{"red", "blue"}] * 12
    opened.does(lambda: colours.get_by_role("checkbox", name="without").check())
    assert shown() == [set()] * 12
    assert colours.get_by_role("checkbox", checked=True).count() == 1
    opened.does(lambda: colours.get_by_role("checkbox", name="red").check())
    assert not colours.get_by_role("checkbox", name="without").is_checked()
    opened.page.go_back()
    opened.page.wait_for_function(
        "() => document.querySelector('[data-field=colours] [data-without]').checked"
    )
    opened.settled()
    opened.does(lambda: opened.page.get_by_role("button", name="Clear filters").click())
    opened.column("Exact").locator(".card").first.get_by_role("button", name="Why").click()
    table = opened.page.get_by_role("dialog").get_by_role("table", name="The listing")
    assert "colours" in table.inner_text()
    assert opened.messages == []


def test_more_like_a_listing_and_why(opened: Opened) -> None:
    opened.open()
    card = opened.column("Exact").locator(".card").first
    title, id_ = card.locator(".title").inner_text(), card.get_attribute("data-id")
    opened.does(lambda: card.get_by_role("button", name="More like").click())
    assert title in opened.page.locator("#like").inner_text()
    assert id_ not in opened.ids("Exact")
    shown = opened.column("Exact").locator(".card").nth(1)
    second = shown.locator(".title").inner_text()
    shown.get_by_role("button", name="Why").click()
    dialog = opened.page.get_by_role("dialog", name=second)
    dialog.wait_for()
    text = dialog.inner_text()
    assert "Place 2 of 12" in text
    for part in ("dense", "affinity", "retrieve", "itself", "price", "/similar?"):
        assert part in dialog.evaluate("found => found.textContent"), part
    opened.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert opened.page.evaluate("document.activeElement.textContent") == "Why?"
    assert opened.messages == []


def test_pictures_are_shown(opened: Opened) -> None:
    opened.open()
    image = opened.column("Exact").locator(".card img").first
    opened.page.wait_for_function("image => image.complete", arg=image.element_handle())
    assert image.evaluate("found => [found.naturalWidth, found.naturalHeight]") == [4, 2]


def test_relaxed_fallback_and_empty_answers_say_so(opened: Opened) -> None:
    opened.open('/?text=shirt&where={"price":{"gte":5000}}')
    assert "the filter was relaxed: price was" in opened.notices
    assert "beyond your filter: price" in opened.page.locator(".card").first.inner_text()
    opened.open("/?user=")
    assert "popular or new listings, for nothing is known" in opened.notices
    opened.open('/?text=shirt&where={"stock":{"gte":100}}')
    assert "Nothing is found" in opened.page.locator(".empty").inner_text()
    assert opened.page.get_by_label("from").nth(1).input_value() == "100"


def test_problems_are_told_in_words(opened: Opened) -> None:
    opened.open('/?text=shirt&where={"price":{"gte":20,"lte":10}}')
    alert = opened.page.get_by_role("alert").inner_text()
    assert "The request cannot be carried out as it is." in alert
    assert "where: nothing can match: 'price' must lie >= 20 and <= 10" in alert
    assert opened.page.locator(".card").count() == 0
    opened.does(lambda: opened.page.get_by_role("button", name="Clear filters").click())
    assert opened.page.get_by_role("alert").count() == 0
    opened.page.context.set_offline(True)
    opened.find("hat")
    assert "The service does not answer." in opened.page.get_by_role("alert").inner_text()


@both
def test_nothing_is_cut_off_or_out_of_reach(opened: Opened) -> None:
    opened.open()
    width = (opened.page.viewport_size or {"width": 0})["width"]
    opened.page.evaluate("document.querySelector('#filters').open = true")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    lefts = opened.page.locator(".answer").evaluate_all("found => found.map(one => one.offsetLeft)")
    assert len({*lefts}) == 2  # side by side on a phone, too
    opened.page.get_by_role("button", name="Why").first.click()
    assert opened.page.get_by_role("dialog").evaluate("found => found.scrollWidth <= found.clientWidth")
    unnamed = opened.page.evaluate(
        """() => [...document.querySelectorAll('button, input, select')].filter(
            found => !(found.labels?.length || found.ariaLabel || found.textContent.trim())).length"""
    )
    assert unnamed == 0
    sizes = opened.page.locator("button:visible, select:visible").evaluate_all(
        "found => found.map(one => one.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 24
