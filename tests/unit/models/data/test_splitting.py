from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigurationError
from models.data.interactions import pair_codes
from models.data.leaks import check_no_leak
from models.data.split import Split
from models.data.splitting import by_time, choose_split, first_taken_ms, leave_last_out, order_share
from tests.unit.models.data.made import catalogue, lists, quick, refusal, taken

_ITEMS = 8
_ROWS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, _ITEMS - 1), st.integers(0, 20)), min_size=1, max_size=60
)


def test_the_last_distinct_item_is_asked_for_and_the_others_are_the_history() -> None:
    # User 0 takes item 1 again at the end; user 1 takes one item only, twice; user 2 takes two.
    rows = [(0, 1), (0, 2), (1, 3), (0, 0), (2, 4), (0, 1), (1, 3), (2, 5)]
    split = leave_last_out(taken(*rows), catalogue(6), validation_users=10)
    assert (split.kind, split.ordered) == ("leave-last-out", False)
    assert split.test.users.tolist() == [0, 2]
    assert lists(split.test.targets) == [[1], [5]]
    assert lists(split.test.histories) == [[2, 0], [4]]
    assert split.validation.users.tolist() == [0]
    assert lists(split.validation.targets) == [[0]]
    assert lists(split.validation.histories) == [[2]]
    assert lists(split.training) == [[2], [3], [4]]
    assert split.taken.tolist() == [0, 0, 1, 1, 1, 0]


@quick
@given(_ROWS, st.integers(1, 10), st.integers(0, 3))
def test_leave_last_out_gives_every_pair_one_purpose_and_leaks_nothing(
    rows: list[tuple[int, int, int]], users: int, seed: int
) -> None:
    interactions = taken(*rows)
    interactions = interactions.take(np.argsort(interactions.times_ms, kind="stable"))  # type: ignore[arg-type]
    distinct = interactions.distinct()
    try:
        split = leave_last_out(interactions, catalogue(_ITEMS), validation_users=users, seed=seed)
    except ConfigurationError:
        assert distinct.lengths.max() < 3
        return
    check_no_leak(split, interactions)
    purposes = np.concatenate(
        [
            pair_codes(split.training.owners, split.training.items),
            pair_codes(split.validation.users, split.validation.targets.items),
            pair_codes(split.test.users, split.test.targets.items),
        ]
    )
    assert sorted(purposes) == sorted(pair_codes(distinct.owners, distinct.items))
    assert len(split.test) == (distinct.lengths >= 2).sum()
    assert 0 < len(split.validation) <= users


def test_the_seed_draws_the_users_of_validation() -> None:
    interactions = taken(*((user, item) for user in range(50) for item in range(3)))
    first, again, other = (
        leave_last_out(interactions, catalogue(3), validation_users=20, seed=seed).validation.users.tolist()
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len(first) == 20


@pytest.mark.parametrize("rows", [[(0, 0)], [(0, 0), (0, 1), (1, 0)]])
def test_leave_last_out_needs_users_with_three_items(rows: list[tuple[int, int]]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        leave_last_out(taken(*rows), catalogue(3))
    assert "users with three distinct items or more" in refusal(caught)
    assert f"no user has more than {len(rows) if len(rows) == 1 else 2};" in refusal(caught)


def test_one_item_cannot_be_split() -> None:
    interactions = taken((0, 0, 1), (0, 0, 2), (1, 0, 3), (1, 0, 4), (1, 0, 9))
    with pytest.raises(ConfigurationError, match="three distinct items"):
        choose_split(interactions, catalogue(1))


def _timed(**options: object) -> Split:
    rows = [(0, 0, 1), (1, 1, 2), (0, 2, 3), (0, 0, 4), (1, 2, 5), (2, 3, 5), (0, 3, 6), (1, 3, 7), (1, 1, 8)]
    return by_time(taken(*rows), catalogue(5, [0, 0, 0, 0, 6]), cut_offs_ms=(4, 6), **options)  # type: ignore[arg-type]


def test_by_time_learns_from_what_came_before_and_asks_for_what_is_new() -> None:
    split = _timed()
    assert (split.kind, split.ordered) == ("time", True)
    assert lists(split.training) == [[0, 2], [1], []]
    assert split.validation.users.tolist() == [1, 2]  # user 0 took item 0 again, which is no news
    assert lists(split.validation.targets) == [[2], [3]]
    assert lists(split.validation.histories) == [[1], []]
    assert split.validation.asked_ms.tolist() == [4, 4]  # type: ignore[union-attr]
    assert split.test.users.tolist() == [0, 1]
    assert lists(split.test.targets) == [[3], [3]]
    assert lists(split.test.histories) == [[2, 0], [1, 2]]
    assert split.test.asked_ms.tolist() == [6, 6]  # type: ignore[union-attr]
    assert split.left_out == {
        "validation targets that the user had taken before": 1,
        "test targets that the user had taken before": 1,
    }


def test_candidates_are_listed_before_the_window_ends_and_not_gone_before_it_starts() -> None:
    split = _timed()
    assert split.validation.candidates is not None
    assert split.validation.candidates.tolist() == [True, True, True, True, False]  # item 4 comes at 6
    assert split.test.candidates is None
    sold = _timed(gone_ms=np.array([4, 9, 3, 9, 9]))
    assert lists(sold.validation.targets) == [[3]]  # item 2 had gone, item 0 goes at this moment
    assert sold.validation.candidates is not None
    assert sold.validation.candidates.tolist() == [True, True, False, True, False]
    assert (
        sold.left_out[
            "validation targets gone before 1970-01-01 00:00:00 or listed after 1970-01-01 00:00:00"
        ]
        == 1
    )


def test_a_listing_goes_when_it_is_first_taken() -> None:
    never = np.iinfo(np.int64).max
    interactions = taken((0, 1, 9), (1, 1, 4), (1, 0, 7))
    assert first_taken_ms(interactions, catalogue(3)).tolist() == [7, 4, never]
    clicked = replace(interactions, weights=np.array([5, 1, 1], np.float32))
    assert first_taken_ms(clicked, catalogue(3), least_weight=5).tolist() == [never, 9, never]


@quick
@given(_ROWS, st.tuples(st.floats(0.05, 0.4), st.floats(0.05, 0.4)))
def test_by_time_leaks_nothing_in_whatever_order_the_interactions_come(
    rows: list[tuple[int, int, int]], shares: tuple[float, float]
) -> None:
    interactions = taken(*rows)
    try:
        split = by_time(interactions, catalogue(_ITEMS), shares=shares)
    except ConfigurationError as error:
        assert "use data of a longer time" in str(error)
        return
    check_no_leak(split, interactions)
    assert len(split.validation) > 0
    assert len(split.test) > 0
    assert (split.test.targets.lengths > 0).all()


@pytest.mark.parametrize(("first", "second"), [(1, 5), (5, 5), (6, 5), (5, 9), (-1, 5)])
def test_moments_that_divide_nothing_are_refused(first: int, second: int) -> None:
    with pytest.raises(ConfigurationError, match="are not divided by"):
        by_time(taken((0, 0, 1), (0, 1, 5), (0, 2, 8)), catalogue(3), cut_offs_ms=(first, second))


def test_by_time_needs_times() -> None:
    with pytest.raises(ConfigurationError, match=r"interactions\.time"):
        by_time(taken((0, 0), (0, 1)), catalogue(2))
    with pytest.raises(ConfigurationError, match=r"interactions\.time"):
        first_taken_ms(taken((0, 0), (0, 1)), catalogue(2))


def test_the_split_is_by_time_where_times_carry_order() -> None:
    moving = [(user, item, 10 * item + user) for user in range(20) for item in range(4)]
    basket = [(user, item, user % 7) for user, item, _ in moving]
    chosen = choose_split(taken(*moving), catalogue(4), shares=(0.25, 0.25))
    assert chosen.kind == "time"
    assert chosen.why == "by time: 100% of the users with two items or more took them at more than one moment"
    left = choose_split(taken(*basket), catalogue(4))
    assert (left.kind, left.ordered) == ("leave-last-out", False)
    assert (
        left.why == "leave-last-out: 0% of the users with two items or more took them at more than one moment"
    )
    assert left.test.asked_ms is left.test.histories.times_ms is None
    timeless = choose_split(replace(taken(*moving), times_ms=None), catalogue(4))
    assert timeless.why == "leave-last-out: there are no times"


def test_leave_last_out_stands_in_where_no_moment_divides() -> None:
    # Everything but the last interaction is at the first two moments.
    rows = [(user, item, 5 + item // 2) for user in range(20) for item in range(4)]
    split = choose_split(taken(*rows), catalogue(4))
    assert (split.kind, split.ordered) == ("leave-last-out", True)
    assert split.why.startswith("leave-last-out: although 100% of the users")
    assert "are not divided by" in split.why
    assert split.test.asked_ms is not None
    assert set(split.test.asked_ms.tolist()) == {6}


def test_the_share_of_users_with_order() -> None:
    assert order_share(taken((0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 2), (2, 1, 3))) == 0.5
    assert order_share(taken((0, 0, 1), (1, 1, 2))) == 0.0
