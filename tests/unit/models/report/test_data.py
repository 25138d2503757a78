"""What was read: columns and why, what is missing, unknown or left out, and the split."""

from __future__ import annotations

from models.report.data import column_rows, data_facts, split_facts
from tests.unit.models.publishing.shop import listings
from tests.unit.models.report.made import model


def test_every_column_has_its_counts_and_its_reason() -> None:
    rows = {row.name: row for row in column_rows(model(), listings())}
    assert list(rows) == ["size", "kind", "price", "title", "id", "stock"]
    assert (rows["size"].read_as, rows["size"].why) == ("category", "few different words")
    assert (rows["kind"].missing, rows["kind"].unknown, rows["kind"].distinct) == ("6 (10 %)", "3 (5 %)", "4")
    assert rows["price"].distinct == "-"
    assert rows["title"].read_as == "text"
    assert rows["stock"].read_as == "left out"
    assert rows["stock"].why == "holds one value only"
    assert rows["id"].read_as == "id"


def test_texts_that_are_read_as_one_stand_together() -> None:
    told = model()
    told["data"]["features"]["missing"] = {"title + about": 2}
    told["data"]["columns"] = [
        {"name": name, "read_as": ["text"], "why": "long strings", "distinct": 9, "missing": 1}
        for name in ("title", "about")
    ]
    (row,) = column_rows(told, listings())
    assert (row.name, row.why, row.distinct) == ("title + about", "long strings", "-")


def test_what_was_left_out_is_counted() -> None:
    facts = dict(data_facts(model()))
    assert facts["Left out"] == "17 rows of unknown items"
    assert facts["Users with a filter of their own"] == "39 of 40"
    none = model()
    none["data"]["left_out"] = {}
    assert dict(data_facts(none))["Left out"] == "nothing"
    split = dict(split_facts(model()))
    assert split["Targets left out"] == "4 targets that the user had taken before"
    assert split["Test cases"].startswith("40;")
