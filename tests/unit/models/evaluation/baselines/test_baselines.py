"""Each baseline against a naive version, and the rules that all of them keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.errors import ConfigurationError
from models.data.interactions import ItemLists
from models.data.items import Categories, Items
from models.data.split import Cases
from models.evaluation.baselines import blend as blending
from models.evaluation.baselines import centroid, together
from models.evaluation.baselines.blend import Blend, Weights
from models.evaluation.baselines.centroid import Centroid
from models.evaluation.baselines.popular import Popular
from models.evaluation.baselines.together import Together
from models.evaluation.popularity import Popularity
from models.evaluation.recommender import Recommender, require_sound
from tests.unit.models.evaluation.made_up import cases

ITEMS, USERS, K = 40, 60, 8


def world(seed: int) -> tuple[ItemLists, Popularity, Items, Cases]:
    """Training lists, popularity, items with a key and two columns, and cases with candidates; some users empty."""
    own = np.random.default_rng(seed)
    chances = 1 / np.arange(1, ITEMS + 1)
    lists = [
        own.choice(ITEMS, own.integers(0, 7), replace=False, p=chances / chances.sum()) for _ in range(USERS)
    ]
    training = ItemLists.of(lists)
    popularity = Popularity.of(np.bincount(training.items, minlength=ITEMS), USERS)
    columns = {
        name: Categories.encode(
            [None if own.random() < 0.1 else f"{name}{own.integers(size)}" for _ in range(ITEMS)]
        )
        for name, size in (("code", 15), ("colour", 4), ("section", 3))
    }
    items = Items(np.arange(ITEMS).astype(object), columns)
    targets = [[int(own.choice(np.setdiff1d(np.arange(ITEMS), row)))] for row in lists]
    candidates = own.random(ITEMS) < 0.8
    return training, popularity, items, cases(targets, [row.tolist() for row in lists], candidates)


def ranked(score: Any, popularity: Popularity, asked: Cases, row: int) -> list[int]:
    """The K best by score, popularity and row, of the candidates beyond the history."""
    assert asked.candidates is not None
    allowed = [i for i in range(ITEMS) if asked.candidates[i] and i not in asked.histories[row]]
    best = sorted(allowed, key=lambda i: (-score(i), -popularity.taken[i], i))[:K]
    return best + [-1] * (K - len(best))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("own_power", "other_power"), [(0.0, 0.0), (0.5, 0.5), (0.5, 0.0)])
def test_together_agrees_with_counting(seed: int, own_power: float, other_power: float) -> None:
    training, popularity, _, asked = world(seed)
    lists = [set(training[user].tolist()) for user in range(USERS)]
    taken = popularity.taken

    def score(row: int, j: int) -> float:
        total = sum(
            sum({i, j} <= items for items in lists)
            / (taken[i] ** own_power * max(taken[j], 1) ** other_power)
            for i in asked.histories[row].tolist()
            if i != j
        )
        return round(float(total), 5)  # equal in real numbers; the baseline's float32 keeps such ties or not

    found = Together.fit(training, popularity, own_power=own_power, other_power=other_power)
    answers = found.recommend(asked, K)
    for row in range(USERS):
        expected = ranked(lambda j, row=row: score(row, j), popularity, asked, row)
        if own_power or other_power:
            scores = [[score(row, j) if j >= 0 else -1 for j in own] for own in (answers[row], expected)]
            assert scores[0] == pytest.approx(scores[1], abs=2e-5)
        else:
            assert answers[row].tolist() == expected


@pytest.mark.parametrize("seed", [0, 1])
def test_popular_agrees_with_sorting(seed: int) -> None:
    _, popularity, _, asked = world(seed)
    answers = Popular(popularity).recommend(asked, K)
    for row in range(USERS):
        assert answers[row].tolist() == ranked(lambda _: 0, popularity, asked, row)


@pytest.mark.parametrize("weights", [Weights(), Weights(2.0, 0.5, 2.0), Weights(0.0, 3.0, 1.0)])
def test_blend_agrees_with_its_formula(weights: Weights) -> None:
    training, popularity, items, asked = world(2)
    lists = [set(training[user].tolist()) for user in range(USERS)]
    words = {name: column.decode() for name, column in items.categories.items()}

    def alike(name: str, i: int, j: int) -> bool:
        return words[name][i] is not None and words[name][i] == words[name][j]

    def score(row: int, j: int) -> float:
        history = asked.histories[row].tolist()
        count = sum(sum({i, j} <= own for own in lists) for i in history)
        same = sum(alike("code", i, j) for i in history)
        pairs = [alike(name, i, j) for name in ("colour", "section") for i in history]
        share = sum(pairs) / max(1, len(pairs))
        trend = np.log1p(popularity.taken[j]) / np.log1p(popularity.taken.max())
        return float(
            np.log1p(count) + weights.same * np.log1p(same) + weights.alike * share**weights.focus * trend
        )

    answers = Blend.fit(training, popularity, items, key="code", weights=weights).recommend(asked, K)
    for row in range(USERS):
        expected = ranked(lambda j, row=row: round(score(row, j), 4), popularity, asked, row)
        scores = [[score(row, j) if j >= 0 else -1 for j in own] for own in (answers[row], expected)]
        assert scores[0] == pytest.approx(scores[1], abs=2e-4)


def test_centroid_by_hand() -> None:
    vectors = np.array([[2, 0], [0, 3], [1, 1], [0, 0], [-1, 0]], np.float32)
    popularity = Popularity.of(np.array([1, 1, 1, 5, 1]), 9)
    asked = cases([[], [], []], [[0], [0, 1], []])
    answers = Centroid.of(vectors, popularity).recommend(asked, 4)
    # Cosines with item 0: 0, 0.71, 0 (no text), -1. With the mean of 0 and 1: 1, 0, -0.71.
    assert answers.tolist() == [[2, 3, 1, 4], [2, 3, 4, -1], [3, 0, 1, 2]]


def test_equal_texts_are_equal_wherever_they_stand() -> None:
    own = np.random.default_rng(0)
    vectors = np.tile(own.normal(size=(1, 33)), (ITEMS, 1)).astype(np.float32)
    vectors[0] = own.normal(size=33)
    popularity = Popularity.of(np.arange(ITEMS), USERS)
    answers = Centroid.of(vectors, popularity).recommend(cases([[]] * 7, [[0]] * 7), ITEMS - 1)
    assert answers.tolist() == [list(range(ITEMS - 1, 0, -1))] * 7


def all_of(seed: int) -> tuple[dict[str, Recommender], Cases]:
    training, popularity, items, asked = world(seed)
    vectors = np.random.default_rng(seed).normal(size=(ITEMS, 6)).astype(np.float32)
    return {
        "popular": Popular(popularity),
        "together": Together.fit(training, popularity),
        "cosine": Together.fit(training, popularity, own_power=0.5, other_power=0.5),
        "blend": Blend.fit(training, popularity, items, key="code"),
        "centroid": Centroid.of(vectors, popularity),
    }, asked


@pytest.mark.parametrize("k", [1, K, ITEMS + 3])
def test_all_keep_the_rules_and_answer_all_they_can(k: int) -> None:
    recommenders, asked = all_of(3)
    assert asked.candidates is not None
    owners = np.repeat(np.arange(USERS), asked.histories.lengths)
    left = asked.candidates.sum() - np.bincount(
        owners, weights=asked.candidates[asked.histories.items], minlength=USERS
    )
    for name, recommender in recommenders.items():
        answers = recommender.recommend(asked, k)
        require_sound(name, answers, asked, ITEMS)
        assert ((answers >= 0).sum(axis=1) == np.minimum(k, left)).all(), name


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    recommenders, asked = all_of(4)
    at_once = {name: own.recommend(asked, K) for name, own in recommenders.items()}
    for module in (blending, centroid, together):
        monkeypatch.setattr(module, "_CELLS", 300)
    for name, own in recommenders.items():
        assert (own.recommend(asked, K) == at_once[name]).all(), name


def test_users_without_a_history_are_answered_by_popularity() -> None:
    recommenders, asked = all_of(5)
    empty = np.flatnonzero(asked.histories.lengths == 0)
    expected = recommenders["popular"].recommend(asked, K)[empty]
    assert len(empty)
    for name, own in recommenders.items():
        assert (own.recommend(asked, K)[empty] == expected).all(), name


def test_a_long_training_list_is_cut_and_counted() -> None:
    training = ItemLists.of([[0, 1, 2, 3], [2, 3], [1, 4]])
    popularity = Popularity.of(np.array([1, 2, 2, 2, 1]), 3)
    asked = cases([[]], [[3]])
    assert Together.fit(training, popularity).recommend(asked, 3).tolist() == [[2, 1, 0]]
    cut = Together.fit(training, popularity, longest=2)
    assert cut.shortened == 1
    assert cut.recommend(asked, 3).tolist() == [[2, 1, 0]]  # 1 and 0 by popularity now
    assert cut.scores(asked).toarray().tolist() == [[0, 0, 2, 2, 0]]


def test_costs_bound_what_is_found() -> None:
    training, popularity, _, asked = world(6)
    found = Together.fit(training, popularity)
    assert (np.diff(found.scores(asked).indptr) <= found.costs(asked)).all()


def test_a_blend_of_co_occurrence_alone_ranks_as_it() -> None:
    training, popularity, items, asked = world(7)
    alone = Blend.fit(training, popularity, Items(items.ids), weights=Weights(5, 5, 1))
    assert alone.keys is None
    history = asked.histories.lengths == 1  # log of one count keeps the order; so does that of their sum
    expected = Together.fit(training, popularity).recommend(asked, K)
    assert (alone.recommend(asked, K)[history] == expected[history]).all()


def test_a_blend_of_columns_that_are_none_is_refused() -> None:
    training, popularity, items, _ = world(8)
    with pytest.raises(ConfigurationError) as caught:
        Blend.fit(training, popularity, items, key="sku", columns=["colour", "size"])
    assert len(caught.value.problems) == 2
    assert (
        "'size' is no column of categories; the items have: code, colour, section" in caught.value.problems[0]
    )
