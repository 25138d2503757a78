"""What a store of events does, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest

from harness.errors import ConfigurationError
from service.database.errors import StoreError
from service.events import sql
from service.events.event import KINDS, TAKEN, Event, Recorded
from service.events.opening import open_events
from service.events.sql import SqlEvents

Opener = Callable[[], SqlEvents]


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the same events, none at first, as often as it is called; all are closed at the end."""
    url = None
    if request.param == "postgres":
        url = request.getfixturevalue("postgres")
        with psycopg.connect(url) as connection:
            connection.execute("drop table if exists events")
    stores: list[SqlEvents] = []

    def opening() -> SqlEvents:
        stores.append(open_events(url, tmp_path))
        return stores[-1]

    yield opening
    for store in stores:
        store.close()


def event(id_: str, at_ms: int = 1, **changes: Any) -> Event:
    return replace(Event(id_, "click", "anna", "l1", at_ms), **changes)


def every(store: SqlEvents, at_ms: int = 0) -> list[Event]:
    return [one for page in store.since(at_ms, KINDS) for one in page]


def test_an_event_comes_back_as_it_was_recorded_also_when_opened_again(opened: Opener) -> None:
    shown = event("é/1", 5, kind="impression", request_id="r1", position=3)
    first = opened()
    assert first.record([shown, event("2", 4)]) == [Recorded(shown, True), Recorded(event("2", 4), True)]
    assert first.record([]) == []
    first.close()
    assert every(opened()) == [event("2", 4), shown]


def test_the_first_event_with_an_id_stays_and_is_told(opened: Opener) -> None:
    store, other = opened(), event("a", listing="l2")
    assert store.record([event("a"), event("a"), other]) == [
        Recorded(event("a"), True),
        Recorded(event("a"), False),
        Recorded(event("a"), False),
    ]
    assert store.record([other, event("b")]) == [Recorded(event("a"), False), Recorded(event("b"), True)]
    assert every(store) == [event("a"), event("b")]
    assert list(other.differences(event("a"))) == ["listing 'l1', not 'l2'"]
    assert list(event("a").differences(event("a"))) == []


def test_a_history_is_each_listing_once_by_its_last_event(opened: Opener) -> None:
    store = opened()
    store.record(
        [
            event("1", 10, listing="a"),
            event("2", 20, listing="b", kind="favourite"),
            event("3", 30, listing="a", kind="purchase"),
            event("4", 40, listing="c", kind="impression", request_id="r", position=1),
            event("5", 50, listing="d", user="ben"),
            event("6", 15, listing="e"),  # came late
        ]
    )
    assert store.history("anna", TAKEN, 10) == [("e", 15), ("b", 20), ("a", 30)]
    assert store.history("anna", TAKEN, 2) == [("b", 20), ("a", 30)]
    assert store.history("anna", ["click"], 10) == [("a", 10), ("e", 15)]
    assert store.history("nobody", TAKEN, 10) == []


def test_a_history_looks_at_a_users_newest_events_only(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "_LOOKED_AT", 5)
    store = opened()
    store.record([event(f"{place}", place, listing=f"l{place % 4}") for place in range(20)])
    assert store.history("anna", TAKEN, 10) == [("l0", 16), ("l1", 17), ("l2", 18), ("l3", 19)]
    store.record([event(f"again {place}", 100 + place, listing="l3") for place in range(4)])
    assert store.history("anna", TAKEN, 10) == [("l3", 103)]


def test_all_events_are_read_by_time_whatever_the_order_they_came_in(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "_PAGE", 3)
    store = opened()
    store.record([event(f"{place}", 100 - place // 4, kind=KINDS[place % 4]) for place in range(40)])
    found = every(store)
    assert [(one.at_ms, one.id) for one in found] == sorted((one.at_ms, one.id) for one in found)
    assert len(found) == 40
    assert [one.at_ms for one in every(store, 99)] == [99] * 4 + [100] * 4
    assert {one.kind for page in store.since(0, TAKEN) for one in page} == set(TAKEN)


def test_two_services_that_are_told_the_same_record_it_once(opened: Opener) -> None:
    stores, writers, each, ids = [opened(), opened()], 4, 5, range(150)
    ready = Barrier(writers)

    def record(writer: int) -> list[Recorded]:
        mine = [event(f"{one:03}", listing=f"of {writer}") for one in ids]
        told = []
        for first in range(0, len(ids), each):
            ready.wait(30)  # so that all record the same at once
            told += stores[writer % 2].record(mine[first : first + each][:: 1 if writer % 2 else -1])
        return told

    with ThreadPoolExecutor(writers) as threads:
        told = [one for found in threads.map(record, range(writers)) for one in found]
    held = {one.id: one for one in every(stores[0])}
    assert len(held) == len(ids)
    assert all(one.held == held[one.held.id] for one in told)  # nobody was told that another's is theirs
    assert sum(one.new for one in told) == len(ids)


def test_what_is_recorded_together_is_recorded_wholly_or_not_at_all(opened: Opener) -> None:
    store = opened()
    with pytest.raises((StoreError, TypeError)):
        store.record([event("a"), event("b", position=object())])
    assert every(store) == []


def test_after_closing_everything_says_so(opened: Opener) -> None:
    store = opened()
    store.close()
    store.close()
    for call in (
        lambda: store.record([event("a")]),
        lambda: store.history("anna", TAKEN, 1),
        lambda: every(store),
    ):
        with pytest.raises(StoreError, match="closed"):
            call()


def test_events_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"events\.sqlite: is not there"):
        open_events(None, tmp_path, made=False)
    assert not list(tmp_path.iterdir())
    open_events(None, tmp_path).close()
    open_events(None, tmp_path, made=False).close()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "events.sqlite").write_text("no database at all\n" * 100)
    with pytest.raises(ConfigurationError, match="name another file"):
        open_events(None, tmp_path / "other")
