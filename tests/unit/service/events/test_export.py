"""Files of events are what training reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.errors import DatasetError
from models.data.items import Items
from models.data.reading.interaction_file import read_interactions
from models.data.reading.options import InteractionOptions
from service.events import sql
from service.events.event import Event
from service.events.export import write_impressions, write_interactions
from service.events.opening import open_events
from service.events.sql import SqlEvents

DAY_MS = 86_400_000
ITEMS = Items(np.array(["a", "b", "c"], object))


@pytest.fixture
def events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlEvents]:
    monkeypatch.setattr(sql, "_PAGE", 2)
    store = open_events(None, tmp_path)
    store.record(
        [
            Event("4", "purchase", "ben", "c", 4 * DAY_MS),
            Event("1", "click", "anna", "a", DAY_MS),
            Event("2", "impression", "anna", "b", 2 * DAY_MS, "r1", 7),
            Event("3", "favourite", "anna", "b", 3 * DAY_MS + 1),
            Event("0", "click", "ben", "a", 0),
        ]
    )
    yield store
    store.close()


def test_training_reads_who_took_what_when_and_how(events: SqlEvents, tmp_path: Path) -> None:
    path = tmp_path / "interactions.parquet"
    exported = write_interactions(events, path)
    assert exported.rows == {"click": 2, "favourite": 1, "purchase": 1}
    assert (exported.first_ms, exported.last_ms) == (0, 4 * DAY_MS)
    found = read_interactions(
        path, ITEMS, InteractionOptions(events={"click": 1, "favourite": 2, "purchase": 5})
    )
    assert found.user_ids[found.users].tolist() == ["ben", "anna", "anna", "ben"]
    assert ITEMS.ids[found.items].tolist() == ["a", "a", "b", "c"]
    assert found.times_ms is not None
    assert found.times_ms.tolist() == [0, DAY_MS, 3 * DAY_MS + 1, 4 * DAY_MS]
    assert found.weights.tolist() == [1, 1, 2, 5]
    assert (dict(found.left_out), found.notes) == ({}, ())


def test_impressions_are_apart_and_a_file_begins_where_it_is_told_to(
    events: SqlEvents, tmp_path: Path
) -> None:
    write_impressions(events, tmp_path / "shown.parquet")
    (row,) = pq.read_table(tmp_path / "shown.parquet").to_pylist()
    assert (row["user_id"], row["item_id"], row["request_id"], row["position"]) == ("anna", "b", "r1", 7)
    exported = write_interactions(events, tmp_path / "late.parquet", 3 * DAY_MS + 1)
    assert (sum(exported.rows.values()), exported.first_ms) == (2, 3 * DAY_MS + 1)


def test_a_former_file_is_replaced_and_stays_where_nothing_takes_its_place(
    events: SqlEvents, tmp_path: Path
) -> None:
    path = tmp_path / "interactions.parquet"
    write_interactions(events, path, 4 * DAY_MS)
    write_interactions(events, path)
    with pytest.raises(
        DatasetError, match=r"no click or favourite or purchase from 1970-01-06T00:00:00\+00:00 on"
    ):
        write_interactions(events, path, 5 * DAY_MS)
    assert pq.read_metadata(path).num_rows == 4
    with pytest.raises(DatasetError, match="make its folder one that can be written to"):
        write_interactions(events, tmp_path / "none" / "interactions.parquet")
    assert sorted(file.name for file in tmp_path.glob("*.parquet*")) == ["interactions.parquet"]
