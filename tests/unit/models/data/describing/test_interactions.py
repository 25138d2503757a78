"""A file of interactions, described: columns, events, times and their order, and what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from models.data.describing.interactions import describe_interactions, items_of_interactions
from models.data.interactions import Interactions
from models.data.items import Items
from models.data.reading.interaction_file import read_interactions
from models.data.reading.options import InteractionOptions
from models.data.reading.table import parquet_table
from models.data.splitting import choose_split
from tests.unit.models.data.made import named, write

_START, _DAY = 1_600_000_000, 86_400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Ten users, four items each, on a day each; then a row of each kind that is left out."""
    users = [f"u{row // 4}" for row in range(40)] + [None, "u1", "u2", "u0"]
    items = [f"i{(row // 4 + row) % 7}" for row in range(40)] + ["i1", "?", "i3", "i0"]
    times: list[Any] = [_START + (row % 4) * _DAY for row in range(40)] + [_START, _START, None, _START]
    return write(
        tmp_path / "taken.parquet",
        user_id=users,
        item_id=items,
        timestamp=times,
        event=["click"] * 39 + ["buy", "buy", "buy", "buy", "click"],
        weight=[0.5] * 42 + [2.0, 0.5],
        session=[[1]] * 44,
    )


CATALOGUE = named(*[f"i{number}" for number in range(8)])


def described(path: Path, items: Items = CATALOGUE, **options: Any) -> str:
    given = InteractionOptions(**options)
    interactions = read_interactions(path, items, given)
    split = choose_split(interactions, items, shares=(0.25, 0.25))
    return describe_interactions(parquet_table(path), interactions, items, given, split)


def test_columns_events_and_times(path: Path) -> None:
    text = described(path)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == f"{path}: 44 interactions, 6 columns"
    assert "user_id user string 1 missing 10 different ones, such as u0, u1, u2" in lines
    assert "item_id item string 0 missing 8 different ones, such as i0, i1, i2" in lines
    assert "timestamp time int64 1 missing 2020-09-13 12:26:40 to 2020-09-16 12:26:40, in s" in lines
    assert "weight weight double 0 missing 0.5 to 2" in lines
    assert any(line.startswith("session left out list<") for line in lines)
    assert lines[lines.index("events") + 1 :][:2] == ["click 40 rows weighs 1", "buy 4 rows weighs 1"]


def test_what_is_kept_what_is_not_and_how_cases_are_held_back(path: Path) -> None:
    lines = described(path).splitlines()
    assert (
        "kept         40 interactions of 10 users, 10 of them with two items or more, with 7 of 8 items"
        in lines
    )
    assert "left out     1 rows without user_id (first in row 40)" in lines
    assert "left out     1 rows of 1 items that are not in the catalogue (first in '?', row 41)" in lines
    assert "left out     1 rows without timestamp (first in row 42)" in lines
    assert "left out     1 rows that occur again (first in row 0)" in lines
    assert (
        "split        by time: 100% of the users with two items or more took them at more than one moment"
        in lines
    )
    assert "             20 to learn from, 10 users to validate by, 10 to test by" in lines


def test_the_options_that_are_said_count(path: Path) -> None:
    text = described(path, events={"click": 2}, time=None)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "timestamp left out int64 1 missing 1600000000, 1600086400, 1600172800" in lines
    assert {"click 40 rows weighs 2", "buy 4 rows left out"} <= set(lines)
    assert "split leave-last-out: there are no times" in lines
    found = yaml.safe_load(text.partition("bakeoff train:\n")[2])["interactions"]
    assert (found["time"], found["events"]) == (None, {"click": 2})


def test_its_yaml_reads_the_file_in_the_same_way(path: Path) -> None:
    data = yaml.safe_load(described(path).partition("bakeoff train:\n")[2])
    options = InteractionOptions(**data["interactions"])
    assert (options.unit, options.events, options.weight) == ("s", {"click": 1, "buy": 1}, "weight")
    ours, theirs = (read_interactions(path, CATALOGUE, given) for given in (options, InteractionOptions()))
    assert _facts(ours) == _facts(theirs)


def _facts(found: Interactions) -> tuple[Any, ...]:
    times = None if found.times_ms is None else found.times_ms.tolist()
    return found.users.tolist(), found.items.tolist(), found.weights.tolist(), times, dict(found.left_out)


def test_without_a_catalogue_every_item_is_known(path: Path) -> None:
    items = items_of_interactions(parquet_table(path), InteractionOptions())
    assert sorted(items.ids) == ["?", "i0", "i1", "i2", "i3", "i4", "i5", "i6"]
    assert "not in the catalogue" not in described(path, items)
    assert not len(items_of_interactions(parquet_table(path), InteractionOptions(item="sku")))


def test_why_there_can_be_no_cases_is_said(path: Path) -> None:
    interactions = read_interactions(path, CATALOGUE)
    text = describe_interactions(
        parquet_table(path), interactions, CATALOGUE, InteractionOptions(), "too few\ntoo late"
    )
    assert "\nsplit        none can be made: too few\nsplit        none can be made: too late\n" in text


def test_many_kinds_of_event_are_summed_up(tmp_path: Path) -> None:
    kinds = [f"e{number}" for number in range(30)]
    path = write(
        tmp_path / "many.parquet", user_id=[0] * 30 + [1] * 30, item_id=[*range(30)] * 2, event=kinds * 2
    )
    text = described(path, items_of_interactions(parquet_table(path), InteractionOptions()), time=None)
    assert "\n  10 more  20 rows\n" in text
    assert "events" not in yaml.safe_load(text.partition("bakeoff train:\n")[2])["interactions"]
