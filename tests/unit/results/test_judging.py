"""How good one answer was."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.results.judging import judge


def judge_one(ids, *, length=None, bad=(), ghosts=(), far=(), matches=100, answered=True, k=None):
    """One answer: `bad` ids break the filter, `ghosts` are no live items, `far` ones are no true neighbours."""
    k = k or len(ids)
    row = np.array([list(ids) + [-1] * (k - len(ids))])
    result = judge(
        answered=np.array([answered]),
        ids=row,
        lengths=np.array([len(ids) if length is None else length]),
        known=row >= 0,
        exists=~np.isin(row, [*ghosts, -1]),
        permitted=~np.isin(row, bad),
        near=~np.isin(row, far),
        matches=np.array([matches]),
    )
    assert result.overlong[0] == (answered and length is not None and length > k)
    return (
        result.recall[0].item(),
        result.violations[0].item(),
        (result.ghosts + result.unknown)[0].item(),
        result.duplicates[0].item(),
        result.short[0].item(),
    )


def test_a_perfect_answer():
    assert judge_one([4, 2, 9, 7]) == (1.0, 0, 0, 0, False)


def test_a_miss_costs_its_share():
    assert judge_one([4, 2, 9, 7], far=[9]) == (0.75, 0, 0, 0, False)


def test_a_duplicate_counts_once():
    assert judge_one([4, 4, 4, 7]) == (0.5, 0, 0, 2, False)


def test_a_violation_is_never_correct_and_counted_once_an_item():
    assert judge_one([4, 2, 2, 7], bad=[2]) == (0.5, 1, 0, 1, False)


def test_a_ghost_is_never_correct_nor_a_violation_too():
    assert judge_one([4, 2, 9, 7], ghosts=[4], bad=[4]) == (0.75, 0, 1, 0, False)


def test_recall_is_divided_by_the_matching_items_where_they_are_fewer_than_k():
    assert judge_one([4, 2], k=10, matches=2) == (1.0, 0, 0, 0, False)
    assert judge_one([4], k=10, matches=2) == (0.5, 0, 0, 0, True)
    assert judge_one([4, 2, 8], k=10, matches=2, bad=[8]) == (1.0, 1, 0, 0, False)


def test_k_is_not_cut_to_what_came_back():
    assert judge_one([4, 2], k=10, matches=50) == (0.2, 0, 0, 0, True)


def test_more_ties_than_places_do_not_exceed_one():
    # Three items tie for the two that match: possible only if `matches` is the smaller number.
    assert judge_one([4, 2, 8], matches=2)[0] == 1.0


def test_where_nothing_matches_only_an_empty_answer_is_right():
    assert judge_one([], k=10, matches=0) == (1.0, 0, 0, 0, False)
    assert judge_one([4], k=10, matches=0, bad=[4]) == (0.0, 1, 0, 0, False)
    assert judge_one([4], k=10, matches=0, ghosts=[4]) == (0.0, 0, 1, 0, False)


def test_an_unanswered_request_has_no_recall_and_no_hits():
    recall, *counts = judge_one([4, 4], bad=[4], answered=False)
    assert np.isnan(recall)
    assert counts == [0, 0, 0, False]


def test_padding_is_no_hit_but_a_returned_minus_one_is_unknown():
    assert judge_one([4, -1, -1], length=1, matches=1) == (1.0, 0, 0, 0, False)
    assert judge_one([4, -1, -1], length=3, matches=1) == (1.0, 0, 1, 1, False)


def test_a_hit_is_no_duplicate_of_stale_content_behind_the_length():
    assert judge_one([4, 2, 4], length=2, matches=2) == (1.0, 0, 0, 0, False)
    assert judge_one([4, 2, 2], length=2, matches=2) == (1.0, 0, 0, 0, False)


def test_a_length_beyond_k_does_not_read_past_it():
    assert judge_one([4, 2], length=7) == (1.0, 0, 0, 0, False)


@given(
    ids=st.lists(st.lists(st.integers(-1, 6), min_size=4, max_size=4), min_size=1, max_size=8),
    lengths=st.lists(st.integers(0, 4), min_size=8, max_size=8),
    dead=st.sets(st.integers(-1, 6)),
    bad=st.sets(st.integers(-1, 6)),
    far=st.sets(st.integers(-1, 6)),
    matches=st.lists(st.integers(0, 6), min_size=8, max_size=8),
)
def test_judging_agrees_with_plain_loops(*, ids, lengths, dead, bad, far, matches):
    n = len(ids)
    array = np.array(ids)
    result = judge(
        answered=np.ones(n, dtype=np.bool_),
        ids=array,
        lengths=np.array(lengths[:n]),
        known=array >= 0,
        exists=~np.isin(array, [*dead, -1]),
        permitted=~np.isin(array, list(bad)),
        near=~np.isin(array, list(far)),
        matches=np.array(matches[:n]),
    )
    for i in range(n):
        returned = ids[i][: lengths[i]]
        items = set(returned)
        wanted = min(4, matches[i])
        good = len(items - dead - bad - far - {-1})
        assert result.ghosts[i] == len((items & dead) - {-1})
        assert result.unknown[i] == len(items & {-1})
        assert result.violations[i] == len((items & bad) - dead - {-1})
        assert result.duplicates[i] == len(returned) - len(items)
        assert result.short[i] == (len(returned) < wanted)
        assert result.recall[i] == (min(good, wanted) / wanted if wanted else float(not returned))
