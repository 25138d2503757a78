"""Sections that come into a page later."""

from __future__ import annotations

import pytest

from models.report.page import render
from models.report.parts import with_section
from tests.unit.models.report.made import trained
from tests.unit.reports.page.parsed import Page

SECTION = '<section id="later"><p>first</p></section>'


def test_a_section_stands_before_the_data_and_once() -> None:
    html = with_section(render(trained()), "later", SECTION)
    again = with_section(html, "later", SECTION.replace("first", "second"))
    ids = [name for name in Page(again).ids if name in ("users", "later", "data")]
    assert ids == ["users", "later", "data"]
    assert "second" in Page(again).text
    assert with_section(again, "later", SECTION) == html


def test_a_page_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="is no page of a model"):
        with_section("<html></html>", "later", SECTION)
