"""Sections that come into a page later."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from models.report.page import render
from models.report.parts import put_sections, with_section
from tests.unit.models.report.made import trained
from tests.unit.reports.page.parsed import Page

SECTION = '<section id="later"><p>as it was</p></section>'


def test_a_section_stands_before_the_data_and_once() -> None:
    html = with_section(render(trained()), "later", SECTION)
    again = with_section(html, "later", SECTION.replace("as it was", r"\1 second"))
    ids = [name for name in Page(again).ids if name in ("users", "later", "data")]
    assert ids == ["users", "later", "data"]
    assert r"\1 second" in Page(again).text
    assert with_section(again, "later", SECTION) == html


def test_a_section_that_is_there_keeps_its_place() -> None:
    html = with_section(
        with_section(render(trained()), "one", SECTION.replace("later", "one")), "later", SECTION
    )
    again = with_section(html, "one", SECTION.replace("later", "one").replace("as it was", "as it is"))
    assert Page(again).ids == Page(html).ids
    assert again == html.replace("as it was", "as it is", 1)


def test_a_page_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="is no page of a model"):
        with_section("<html></html>", "later", SECTION)


def test_a_page_that_is_not_there_or_none_of_a_model_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    with pytest.raises(ConfigurationError, match=r"report\.html: is missing"):
        put_sections(page, {"later": SECTION})
    page.write_text("<html></html>")
    with pytest.raises(ConfigurationError, match=r"report\.html: is no page of a model"):
        put_sections(page, {"later": SECTION})
    assert page.read_text() == "<html></html>"
    page.write_text(render(trained()))
    put_sections(page, {"later": SECTION})
    assert page.read_text() == with_section(render(trained()), "later", SECTION)
