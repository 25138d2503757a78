from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigurationError
from models.data.interactions import Interactions
from models.data.reading.interaction_file import interactions_of, read_interactions
from models.data.reading.options import InteractionOptions
from models.data.reading.table import Table
from tests.unit.models.data.made import named, quick, refusal, write

_ITEMS = named("a", "b", "c")
_DAY = datetime(2020, 9, 16)


def _read(folder: Path, options: dict[str, Any] | None = None, **changes: Any) -> Interactions:
    columns = {
        "user_id": ["u", "v", "u", "w"],
        "item_id": ["a", "c", "b", "a"],
        "timestamp": [_DAY + timedelta(hours=hour) for hour in range(4)],
        **changes,
    }
    path = write(
        folder / "clicks.parquet", **{key: value for key, value in columns.items() if value is not None}
    )
    return read_interactions(path, _ITEMS, InteractionOptions(**options or {}))


def _refused(folder: Path, options: dict[str, Any] | None = None, **changes: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        _read(folder, options, **changes)
    assert refusal(caught).startswith(f"{folder}/clicks.parquet: ")
    return refusal(caught)


def test_a_file_is_read_as_it_stands(tmp_path: Path) -> None:
    found = _read(tmp_path)
    assert found.user_ids[found.users].tolist() == ["u", "v", "u", "w"]
    assert found.items.tolist() == [0, 2, 1, 0]
    assert found.weights.tolist() == [1, 1, 1, 1]
    assert found.times_ms is not None
    assert np.diff(found.times_ms).tolist() == [3_600_000] * 3
    assert found.left_out == {}
    assert found.notes == ()


def test_rows_without_user_item_or_time_are_left_out_and_counted(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        user_id=["u", None, "u", "", "v"],
        item_id=["a", "c", None, "b", "b"],
        timestamp=[_DAY, _DAY, _DAY, _DAY, None],
    )
    assert len(found) == 1
    assert found.user_ids.tolist() == ["u"]
    assert found.left_out == {
        "without user_id (first in row 1)": 2,
        "without item_id (first in row 2)": 1,
        "without timestamp (first in row 4)": 1,
    }
    assert found.notes == ("1 users have no interaction left",)


def test_unknown_items_are_left_out_and_counted(tmp_path: Path) -> None:
    found = _read(tmp_path, item_id=["a", "x", "y", "x"])
    assert found.items.tolist() == [0]
    assert found.left_out == {"of 2 items that are not in the catalogue (first in 'x', row 1)": 3}


def test_repeated_rows_are_one_and_the_last_of_them_stays(tmp_path: Path) -> None:
    same = {"user_id": ["u"] * 4, "timestamp": [date(2020, 9, 16)] * 4}
    found = _read(tmp_path, item_id=["a", "b", "a", "a"], **same)
    assert found.items.tolist() == [1, 0]
    assert found.left_out == {"that occur again (first in row 0)": 2}
    apart = _read(tmp_path, item_id=["a", "b", "a", "a"], **same, weight=[1, 1, 2, 2])
    assert apart.items.tolist() == [0, 1, 0]
    event = _read(tmp_path, item_id=["a", "b", "a", "a"], **same, event=["see", "see", "buy", "see"])
    assert event.items.tolist() == [1, 0, 0]


def test_times_out_of_order_are_sorted_and_counted(tmp_path: Path) -> None:
    times = [_DAY + timedelta(days=day) for day in (3, 0, 1, 1)]
    found = _read(tmp_path, timestamp=times)
    assert found.items.tolist() == [2, 1, 0, 0]  # v's, u's second, w's of the same moment, u's first
    assert found.notes == ("1 rows come after a later one of the same user; all are sorted by time",)
    assert _read(tmp_path, timestamp=times, user_id=["t", "v", "u", "w"]).notes == ()


def test_events_weigh_what_the_options_say(tmp_path: Path) -> None:
    events = ["click", "purchase", "view", None]
    found = _read(tmp_path, {"events": {"click": 1, "purchase": 5, "like": 2}}, event=events)
    assert found.weights.tolist() == [1, 5]
    assert found.left_out == {
        "whose event is 'view', which interactions.events does not name (first in row 2)": 1,
        "without event (first in row 3)": 1,
    }
    assert "event never holds 'like', though interactions.events names it" in found.notes
    times = _read(
        tmp_path, {"events": {"click": 2, "view": 3}, "event": "kind"}, kind=["view"] * 4, weight=[1, 2, 3, 4]
    )
    assert times.weights.tolist() == [3, 6, 9, 12]
    plain = _read(tmp_path, event=events)
    assert plain.weights.tolist() == [1, 1, 1, 1]
    assert plain.notes == ("event holds 'click', 'purchase', 'view'; each weighs 1",)


def test_ids_of_another_type_are_reconciled_where_it_is_certain(tmp_path: Path) -> None:
    path = write(
        tmp_path / "sold.parquet", user_id=[7, 8], item_id=[108775015, 786022008], timestamp=[_DAY, _DAY]
    )
    found = read_interactions(path, named("0786022008", "0108775015"))
    assert found.items.tolist() == [1, 0]
    assert found.user_ids.tolist() == [7, 8]
    assert found.notes == ("ids of items filled up with zeros to 10 digits match those of the catalogue",)
    with pytest.raises(ConfigurationError) as caught:
        read_interactions(path, named("0786022008", "A"))
    assert "such as 108775015 in row 0, the catalogue's are such as '0786022008'" in refusal(caught)


def test_without_times_rows_are_taken_as_they_follow_each_other(tmp_path: Path) -> None:
    found = _read(tmp_path, {"time": None}, timestamp=None)
    assert found.times_ms is None
    assert found.items.tolist() == [0, 2, 1, 0]


@pytest.mark.parametrize(
    ("options", "changes", "told"),
    [
        (
            {},
            {"user_id": None},
            "has no column 'user_id'; name it with interactions.user (it has: item_id, timestamp)",
        ),
        (
            {},
            {"timestamp": None},
            "no column 'timestamp'; name it with interactions.time, or set that to null",
        ),
        ({"weight": "amount"}, {}, "has no column 'amount'; name it with interactions.weight"),
        ({"events": {"buy": 1}}, {}, "has no column 'event'; name it with interactions.event"),
        (
            {"events": {"buy": 1}},
            {"event": ["see"] * 4},
            "holds none of interactions.events (buy), but 'see'",
        ),
        ({}, {"user_id": pa.array([None] * 4, pa.string())}, "column 'user_id': no row has a user"),
        ({}, {"item_id": pa.array([None] * 4, pa.int64())}, "column 'item_id': no row has an item"),
        ({}, {"timestamp": pa.array([None] * 4, pa.int64())}, "column 'timestamp': no row has a time"),
        ({}, {"item_id": ["x", "y", "z", "x"]}, "no item is in the catalogue, such as 'x' in row 0"),
        ({}, {"item_id": [1, 2, 3, 4]}, "such as 1 in row 0, the catalogue's are such as 'a'"),
        ({}, {"user_id": [0.5, 1, 2, 3]}, "column 'user_id': ids must be strings or integers"),
        ({}, {"weight": [1, 2, 0, -1]}, "column 'weight': row 2 holds 0 (2 such rows)"),
        ({}, {"weight": [1.0, None, 1.0, 1.0]}, "column 'weight': row 1 holds None"),
        ({}, {"weight": [1.0, 1.0, 1.0, 1e300]}, "column 'weight': row 3 holds 1e+300"),
        ({}, {"weight": ["much", "1", "1", "1"]}, "column 'weight': weights must be numbers"),
        ({}, {"timestamp": [1_600_000_000, 1, 1, 1]}, "row 1 holds 1, which is 1970-01-01 in s or"),
        (
            {},
            {"user_id": ["u", None, None, None], "item_id": [None, "a", "b", "x"]},
            "no interaction is left: 3 rows",
        ),
    ],
)
def test_bad_interactions_are_refused_by_file_column_and_row(
    tmp_path: Path, options: dict[str, Any], changes: dict[str, Any], told: str
) -> None:
    assert told in _refused(tmp_path, options, **changes)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    bad = {"user_id": [0.5, 1, 2, 3], "item_id": [1, 2, 3, 4], "timestamp": ["now"] * 4, "weight": [0] * 4}
    assert len(_refused(tmp_path, **bad).splitlines()) == 4


def test_files_without_rows_are_refused(tmp_path: Path) -> None:
    empty = {"user_id": pa.array([], pa.string()), "item_id": pa.array([], pa.string())}
    assert "holds no interactions" in _refused(tmp_path, **empty, timestamp=pa.array([], pa.int64()))


_VALUES = st.tuples(
    st.sampled_from([None, "u", "v", " "]),
    st.sampled_from([None, "a", "b", "x"]),
    st.sampled_from([None, 1_600_000_000, 1_600_000_060, 1_599_999_000]),
)


@quick
@given(st.lists(_VALUES, min_size=1, max_size=20))
def test_every_row_is_kept_or_counted(rows: list[tuple[str | None, str | None, int | None]]) -> None:
    users, items, times = zip(*rows, strict=True)
    columns = [pa.array(users, pa.string()), pa.array(items, pa.string()), pa.array(times, pa.int64())]
    held = pa.table(columns, names=["user_id", "item_id", "timestamp"])
    table = Table(Path("made.parquet"), tuple(held.column_names), held.num_rows, held)
    whole = {row for row in rows if row[0] in ("u", "v") and row[1] in ("a", "b") and row[2] is not None}
    try:
        found = interactions_of(table, _ITEMS, InteractionOptions())
    except ConfigurationError:
        assert not whole
        return
    assert found.times_ms is not None
    kept = zip(found.user_ids[found.users], _ITEMS.ids[found.items], found.times_ms // 1000, strict=True)
    assert len(found) + sum(found.left_out.values()) == len(rows)
    assert {tuple(row) for row in kept} == whole
    assert len(found) == len(whole)
    assert (np.diff(found.times_ms) >= 0).all()
    assert set(found.users.tolist()) == set(range(len(found.user_ids)))
