"""Example users with engines: titles, what is missing against exact search, and their filters as engines get them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.oracle.exact import exact_neighbours
from models.encoding.model import Model
from models.report.retrieval.users import coarsest, examples, section
from models.report.users import ANSWERS, chosen
from models.retrieval.catalogue import published_items
from models.retrieval.held_out import HeldOut, read_held_out
from tests.unit.models.encoding.folders import write_model
from tests.unit.models.publishing.shop import shop
from tests.unit.models.retrieval.made import asked, no_filters
from tests.unit.models.retrieval.runs import content_of
from tests.unit.reports.page.parsed import Page


@pytest.fixture
def model(tmp_path: Path) -> Model:
    model = Model.load(write_model(tmp_path / "model"))
    shop(users=30).write(model.folder / "dataset", identity=model.identity)
    # The model was made for other listings; it is to read those of the shop.
    read = {"categories": ("size", "kind"), "numbers": ("price",), "texts": ("title",)}
    return replace(model, items=model.items.model_copy(update=read))


@pytest.fixture
def held(model: Model) -> HeldOut:
    return read_held_out(model, model.folder.parent / "cache")


def test_the_dataset_s_listings_are_a_catalogue_again(model: Model) -> None:
    items, published = shop().items, published_items(model)
    assert published.ids.tolist() == items.ids.tolist()
    assert published.texts["title"].tolist() == items.texts["title"].tolist()
    assert published.categories["kind"].decode() == items.categories["kind"].decode()
    np.testing.assert_array_equal(published.numbers["price"], items.numbers["price"])


def test_answers_are_the_nearest_outside_the_history(model: Model, held: HeldOut) -> None:
    items, rows = published_items(model), chosen(held.cases, 0)
    nearest = exact_neighbours(held.dataset.vectors, held.dataset.queries, 60, "cosine").ids
    for example, row in zip(examples(held, items, rows), rows.tolist(), strict=True):
        wanted = [one for one in nearest[row].tolist() if one not in held.cases.histories[row]][:ANSWERS]
        titles = [str(items.texts["title"][one]) for one in wanted]
        shown = [answer.title for answer in example.answers]
        assert [title for title in shown if title.startswith("Title")] == [title for title in titles if title]
        assert example.number == row + 1
        assert (example.own_filter == "") == (held.dataset.filters["filters"][row] is None)


def test_what_an_engine_misses_is_named(model: Model, held: HeldOut, tmp_path: Path) -> None:
    items, rows = published_items(model), chosen(held.cases, 0).tolist()
    right = asked(held, no_filters(held))
    wrong = right.copy()
    user = rows[-1]
    gone = next(one for one in right[user].tolist() if one not in held.cases.histories[user] and one % 5)
    wrong[user][wrong[user] == gone] = -1
    held = replace(held, dataset=replace(held.dataset, columns=_with_brands(held)))
    content = content_of(
        tmp_path / "run",
        held,
        {("coarse", 1, "none"): wrong, ("coarse", 2, "none"): right},
        examples=rows,
        first=ANSWERS,
    )
    text = Page(section(held, items, content)).text
    assert f"Missing of those that exact search has first: {items.texts['title'][gone]}" in text
    assert text.count("not among the first of exact search") == 1  # what moved up
    assert text.count("coarse, ef=1") == len(rows)
    assert "coarse, ef=2" not in text
    assert text.count("The first 8 are those of exact search.") == len(rows) - 1
    content["points"] = content["points"][1:]
    assert "Missing of those" not in Page(section(held, items, content)).text


def _with_brands(held: HeldOut) -> dict[str, Any]:
    """The filters of the run are about brands, which the shop's listings do not have."""
    return {**held.dataset.columns, "brand": held.dataset.columns["size"]}


def test_each_engine_is_shown_at_its_coarsest_without_a_filter() -> None:
    points = [
        {"engine": engine, "filter": name, "search": {"ef": ef}}
        for engine, name, ef in (("a", "own", 0), ("a", "none", 1), ("b", "none", 2), ("a", "none", 3))
    ]
    assert [(point["engine"], point["search"]) for point in coarsest({"points": points})] == [
        ("a", {"ef": 1}),
        ("b", {"ef": 2}),
    ]
