"""What a listing is called."""

from __future__ import annotations

import numpy as np

from models.data.items import Categories, Items
from models.report.titles import Titles
from tests.unit.models.publishing.shop import objects


def items(**texts: list[str]) -> Items:
    return Items(
        objects(["a1", "a2", "a3"]),
        {
            "code": Categories.encode(["123", "456", None]),
            "kind": Categories.encode(["Coat", "Hat", None]),
            "colour": Categories.encode(["blue", None, None]),
        },
        {"price": np.array([12.5, np.nan, np.nan])},
        {name: objects(values) for name, values in texts.items()},
    )


def test_a_column_called_like_a_title_comes_before_the_first_of_text() -> None:
    assert Titles(items(about=["x"] * 3, Title=["y"] * 3)).text == "Title"
    assert Titles(items(about=["x"] * 3, model_name=["y"] * 3)).text == "model_name"
    assert Titles(items(about=["x"] * 3, more=["y"] * 3)).text == "about"
    assert Titles(items()).text is None


def test_categories_stand_in_for_a_title_and_the_id_for_them() -> None:
    titles = Titles(items(title=["Blue thing", "", " "]))
    assert [titles.title(row) for row in range(3)] == ["Blue thing", "Hat", "listing a3"]
    assert [titles.detail(row) for row in range(3)] == ["Coat · price 12.5", "", ""]
    assert Titles(items()).title(0) == "Coat · blue"


def test_long_titles_are_cut_and_marks_that_turn_text_are_shown() -> None:
    titles = Titles(items(title=["x" * 500, "a\u202eb", "c\x00d"]))
    assert len(titles.title(0)) == 70
    assert titles.title(1) == "a\\u202eb"
    assert titles.title(2) == "c\\x00d"
