"""Every order of changes: late ones never undo newer ones, and counts stay right."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from service.catalogue.deciding import Ledger
from service.catalogue.listing import Absent, Change, Conflict, Fields, Patch, Put, Remove, Unchanged, Written

IDS = ("a", "b")
VERSIONS = st.none() | st.integers(1, 6)
EXPECTED = st.none() | st.integers(0, 6)


def fields(price: int) -> Fields:
    return Fields({"price": price}, {}, np.array([price], np.float32))


PUTS = st.builds(
    Put, st.sampled_from(IDS), st.builds(fields, st.integers(0, 2)), expected=EXPECTED, version=VERSIONS
)
PATCHES = st.builds(
    Patch, st.sampled_from(IDS), st.builds(lambda price: Fields({"price": price}), st.integers(0, 2)),
    expected=EXPECTED, version=VERSIONS,
)  # fmt: skip
REMOVES = st.builds(Remove, st.sampled_from(IDS), expected=EXPECTED, version=VERSIONS)


def ledger() -> Ledger:
    return Ledger({}, 0, 0, 0, now_ms=1)


@settings(deadline=None)
@given(st.lists(PUTS | PATCHES | REMOVES, max_size=12))
def test_versions_only_grow_and_nothing_else_changes_what_is_stored(changes: list[Change]) -> None:
    books = ledger()
    for change in changes:
        before, seq = books.rows.get(change.id), books.seq
        outcome = books.apply(change)
        after = books.rows.get(change.id)
        if isinstance(outcome, Written):
            assert after is not None
            assert (after.version, after.seq, after.number) == (outcome.version, outcome.seq, outcome.number)
            assert books.seq == seq + 1
            assert after.version > (before.version if before else 0)
            assert change.version in (None, after.version)
            assert before is None or after.number == before.number
            assert after.removed == isinstance(change, Remove)
        else:
            assert (after, books.seq) == (before, seq)
    assert books.live == sum(not row.removed for row in books.rows.values())
    assert sorted(row.number for row in books.rows.values()) == list(range(books.numbers))
    assert books.changed == set(books.rows)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2)), min_size=1, max_size=4))
def test_the_newest_version_wins_in_every_order_of_arrival(newest_last: list[tuple[bool, int]]) -> None:
    changes = [
        Remove("a", version=place + 1) if removed else Put("a", fields(price), version=place + 1)
        for place, (removed, price) in enumerate(newest_last)
    ]
    removed, price = newest_last[-1]
    for order in permutations(changes):
        books = ledger()
        for change in order:
            books.apply(change)
        row = books.rows["a"]
        assert row.version == len(changes)
        assert row.removed == removed
        assert removed or row.attributes == {"price": price}


def test_a_repeated_request_finds_what_the_first_one_stored() -> None:
    books = ledger()
    for change in (
        Put("a", fields(1), version=3),
        Patch("a", Fields({"price": 2}), version=4),
        Remove("a", version=5),
    ):
        first = books.apply(change)
        assert isinstance(first, Written)
        assert books.apply(change) == Unchanged(first.number, first.version, first.seq)


def test_a_condition_is_about_the_listing_that_is_there() -> None:
    books = ledger()
    books.apply(Put("a", fields(1)))
    books.apply(Remove("a"))
    assert books.apply(Put("a", fields(1), expected=2)) == Conflict(0)
    assert books.apply(Patch("a", Fields({"price": 2}), expected=2)) == Absent()
    assert books.apply(Put("a", fields(1), expected=0)) == Written(0, 3, 3)
