from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings

from models.data.split import Cases
from models.evaluation.popularity import Popularity
from models.evaluation.slices import FEW, all_of, slices
from tests.unit.models.evaluation.made_up import cases, sound

# Items 0 and 1 are the short head, 2 to 9 are rare, 10 and 11 cold.
POPULARITY = Popularity.of(np.array([9, 7, 3, 3, 3, 2, 2, 1, 1, 1, 0, 0]), 15)


def test_slices_by_hand() -> None:
    asked = cases(
        [[0], [10, 2], [11], [3]],
        [[5], [], list(range(1, 3)), list(range(4, 14))],
    )
    found = {part.name: part for part in slices(asked, POPULARITY, np.array([False, True, True, False]))}
    rows = {name: part.rows.tolist() for name, part in found.items()}
    assert rows == {
        "cold_listings": [1, 2],
        "popular_targets": [0],
        "rare_targets": [1, 3],
        "cold_users": [1],
        "preferences_only": [1],
        "short_histories": [0, 2],
        "middling_histories": [],
        "long_histories": [3],
    }
    cold = found["cold_listings"].cases
    assert [cold.targets[row].tolist() for row in range(2)] == [[10], [11]]
    assert [cold.histories[row].tolist() for row in range(2)] == [[], [1, 2]]
    assert found["rare_targets"].cases.targets.items.tolist() == [2, 3]
    assert found["cold_users"].cases.targets.items.tolist() == [10, 2]
    assert found["long_histories"].cases.users.tolist() == [3]


def test_without_preferences_there_is_no_slice_of_them() -> None:
    assert "preferences_only" not in [part.name for part in slices(cases([[0]]), POPULARITY)]


def test_times_and_candidates_come_along() -> None:
    plain = cases([[0], [10]], candidates=[True] * 12)
    asked = Cases(plain.users, plain.histories, plain.targets, plain.candidates, np.array([5, 6]))
    cold = slices(asked, POPULARITY)[0]
    assert cold.cases.asked_ms is not None
    assert cold.cases.asked_ms.tolist() == [6]
    assert cold.cases.candidates is asked.candidates


def test_a_slice_of_few_cases_is_marked() -> None:
    assert all_of(cases([[0]] * (FEW - 1))).few
    assert not all_of(cases([[0]] * FEW)).few


@settings(deadline=None, max_examples=60)
@given(sound())
def test_every_target_and_every_user_is_in_one_slice_of_its_kind(made: tuple[Cases, Any]) -> None:
    asked, _ = made
    found = {part.name: part for part in slices(asked, POPULARITY)}
    kinds = ["cold_listings", "popular_targets", "rare_targets"]
    own = np.concatenate([found[name].cases.targets.items for name in kinds])
    assert sorted(own.tolist()) == sorted(asked.targets.items.tolist())
    lengths = ["cold_users", "short_histories", "middling_histories", "long_histories"]
    rows = np.concatenate([found[name].rows for name in lengths])
    assert sorted(rows.tolist()) == list(range(len(asked)))
    for part in found.values():
        assert len(part.cases) == len(part.rows) == len(part.cases.targets)
