from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from harness.errors import MeasurementError
from models.data.interactions import ItemLists
from models.evaluation import recommender
from models.evaluation.recommender import places, require_sound, without_repeats
from tests.unit.models.evaluation.made_up import ITEMS, answers, cases, sound


def test_an_item_stands_where_it_is_answered_first() -> None:
    lists = ItemLists.of([[7, 3], [], [1, 9]])
    found = places(answers([[3, 5, 7], [1, 2, 3], [9, 9, -1]]), lists)
    assert found.tolist() == [2, 0, -1, 0]
    assert places(np.empty((3, 0), np.int32), lists).tolist() == [-1, -1, -1, -1]


def test_places_are_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    shown = rng.permuted(np.tile(np.arange(30, dtype=np.int32), (50, 1)), axis=1)[:, :7]
    lists = ItemLists.of([rng.choice(30, rng.integers(0, 5), replace=False) for _ in range(50)])
    at_once = places(shown, lists)
    monkeypatch.setattr(recommender, "_CELLS", 15)
    assert places(shown, lists).tolist() == at_once.tolist()
    assert (at_once >= 0).any()


def test_repeats_become_none_where_they_come_again() -> None:
    shown = answers([[4, 2, 4, 4], [1, 2, 3, 4], [5, 5, -1, -1], [-1, -1, -1, -1]])
    once = without_repeats(shown)
    assert once.tolist() == [[4, 2, -1, -1], [1, 2, 3, 4], [5, -1, -1, -1], [-1, -1, -1, -1]]
    assert shown[0].tolist() == [4, 2, 4, 4]  # the argument is left as it was


@settings(deadline=None, max_examples=60)
@given(sound())
def test_sound_answers_pass(made: Any) -> None:
    asked, shown = made
    require_sound("ours", shown, asked, ITEMS)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ([0, 1, 7, -1], "an item of the user's history in 1 of 2 cases, first in case 1"),
        ([0, 1, 5, -1], "an item that is no candidate"),
        ([0, 1, 0, -1], "an item twice"),
        ([0, -1, 1, -1], "an item after -1"),
        ([0, 1, ITEMS, -1], "no row of the catalogue's 12"),
        ([0, 1, -2, -1], "no row of the catalogue's 12"),
    ],
)
def test_every_fault_is_named(row: list[int], fault: str) -> None:
    candidates = [item != 5 for item in range(ITEMS)]
    asked = cases([[2], [3]], [[6], [7]], candidates)
    require_sound("ours", answers([[0, 1, 2, 3], [0, 1, 2, -1]]), asked, ITEMS)
    with pytest.raises(MeasurementError, match=f"^ours: {fault}"):
        require_sound("ours", answers([[0, 1, 2, 3], row]), asked, ITEMS)


def test_all_faults_are_named_at_once() -> None:
    asked = cases([[2], [3]], [[6], [7]])
    with pytest.raises(MeasurementError) as caught:
        require_sound("ours", answers([[1, 1], [7, 0]]), asked, ITEMS)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("shown", [np.zeros((1, 3), np.int32), np.zeros((2, 3)), np.zeros(2, np.int32)])
def test_answers_of_another_shape_or_type_are_refused(shown: Any) -> None:
    with pytest.raises(MeasurementError, match=r"return int32\[2, k\]"):
        require_sound("ours", shown, cases([[2], [3]]), ITEMS)
