from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.data.interactions import ItemLists
from tests.unit.models.data.made import lists, quick, taken

_ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 9)), min_size=1, max_size=30)


@quick
@given(_ROWS, st.integers(0, 9))
def test_distinct_items_stand_in_the_order_of_their_last_occurrence(
    rows: list[tuple[int, int, int]], limit: int
) -> None:
    interactions = taken(*rows, users=5)
    found = interactions.distinct(interactions.times_ms < limit)  # type: ignore[operator]
    expected: list[dict[int, int]] = [{} for _ in range(5)]
    for user, item, time in rows:
        if time < limit:
            expected[user].pop(item, None)
            expected[user][item] = time
    assert lists(found) == [list(row) for row in expected]
    assert found.times_ms is not None
    assert found.times_ms.tolist() == [time for row in expected for time in row.values()]


def test_a_list_keeps_what_is_wanted() -> None:
    given_lists = ItemLists.of([[1, 2, 3], [], [4, 5]])
    kept = given_lists.keep(np.array([True, False, True, False, True]))
    assert lists(kept) == [[1, 3], [], [5]]
    assert given_lists.owners.tolist() == [0, 0, 0, 2, 2]
    assert lists(given_lists.take(np.array([2, 0]))) == [[4, 5], [1, 2, 3]]


def test_an_interaction_taken_out_takes_its_columns_along() -> None:
    some = taken((0, 1, 5), (1, 2, 6), (0, 2, 7)).take(np.array([2, 0]))
    assert (some.users.tolist(), some.items.tolist()) == ([0, 0], [2, 1])
    assert some.times_ms is not None
    assert some.times_ms.tolist() == [7, 5]
    assert some.user_ids.tolist() == ["u0", "u1"]
