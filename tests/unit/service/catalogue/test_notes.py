"""What processes that share a store keep beside its listings, and what one of them has at a time."""

from __future__ import annotations

from threading import Thread

import pytest

from engines.base import Schema
from service.catalogue.schema import CatalogueSchema
from tests.unit.service.catalogue.conftest import Opener

SCHEMA = CatalogueSchema(Schema(2, "l2", ()))
WRITERS, TIMES = 4, 15


def test_a_note_is_replaced_only_where_it_is_as_it_was(opened: Opener) -> None:
    one, other = opened(SCHEMA), opened(SCHEMA)
    assert one.replace_meta("a", None, "1")
    assert not other.replace_meta("a", None, "2")
    assert not other.replace_meta("a", "0", "2")
    assert other.replace_meta("a", "1", "2")
    one.set_meta("b", "x")
    assert one.notes(["a", "b", "c"]) == {"a": "2", "b": "x"}
    assert one.notes([]) == {}


def test_of_many_that_replace_a_note_at_once_each_time_one_does(opened: Opener) -> None:
    stores = [opened(SCHEMA) for _ in range(WRITERS)]
    stores[0].set_meta("count", "0")

    def count_up(place: int) -> None:
        done = 0
        while done < TIMES:
            held = stores[place].meta("count")
            done += stores[place].replace_meta("count", held, str(int(held or 0) + 1))

    threads = [Thread(target=count_up, args=(place,)) for place in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert stores[0].meta("count") == str(WRITERS * TIMES)


def test_one_at_a_time_has_what_is_exclusive(opened: Opener, request: pytest.FixtureRequest) -> None:
    one, other = opened(SCHEMA).exclusive(), opened(SCHEMA).exclusive()
    if one is None or other is None:
        assert "sqlite" in request.node.name
        return
    assert one.take()
    assert one.held()
    assert (other.take(), other.held()) == (False, False)
    one.release()
    assert not one.held()
    assert other.take()
    other.release()
    one.release()  # a second time, which changes nothing
