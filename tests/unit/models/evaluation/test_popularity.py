from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.data.interactions import ItemLists
from models.data.split import Split
from models.evaluation.popularity import Popularity
from tests.unit.models.evaluation.made_up import cases


def test_popularity_by_hand() -> None:
    popularity = Popularity.of(np.array([1, 4, 0, 1]), 7)
    assert popularity.order.tolist() == [1, 0, 3, 2]
    assert popularity.places.tolist() == [1, 0, 3, 2]
    assert popularity.percentiles.tolist() == [0.5, 0.875, 0.125, 0.5]
    assert popularity.information.tolist() == pytest.approx([2, 3 - np.log2(5), 3, 2])
    assert popularity.heads().tolist() == [False, True, False, False]
    assert popularity.heads(0.7).tolist() == [True, True, False, False]


def test_users_are_those_with_an_item_in_training() -> None:
    nobody = cases([])
    training = ItemLists.of([[0, 1], [], [1]])
    split = Split("leave-last-out", False, training, np.array([1, 2]), nobody, nobody)
    assert Popularity.in_training(split).users == 2


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 5), max_size=20))
def test_percentiles_average_a_half_and_the_head_holds_half(taken: list[int]) -> None:
    popularity = Popularity.of(np.array(taken, np.int64), 10)
    head = popularity.heads()
    assert len(popularity.percentiles) == len(taken)
    if taken:
        assert popularity.percentiles.mean() == pytest.approx(0.5)
    if sum(taken):
        own = popularity.taken
        assert 2 * own[head].sum() >= own.sum()
        assert 2 * (own[head].sum() - own[head].min()) < own.sum()
    else:
        assert not head.any()
