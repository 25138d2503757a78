"""A model's own answers, against a plain sort of its scores."""

from __future__ import annotations

import numpy as np
import pytest

from models.data.interactions import ItemLists
from models.data.split import Cases
from models.encoding.maths import unit
from models.encoding.user import UserEncoder
from models.encoding.weights import Residual, UserWeights
from models.evaluation.nearest import Nearest
from models.evaluation.popularity import Popularity
from models.evaluation.recommender import require_sound

ITEMS, USERS, DIM = 40, 25, 6


def nearest(adding: float) -> Nearest:
    rng = np.random.default_rng(0)
    layer = Residual(
        *(rng.normal(size=shape).astype(np.float32) for shape in ((1, DIM, 8), (1, 8), (1, 8, DIM)))
    )
    attention, empty = rng.normal(size=(2, DIM)).astype(np.float32)
    listings = unit(rng.normal(size=(ITEMS, DIM)).astype(np.float32))
    return Nearest(
        UserEncoder(UserWeights(attention[None], np.zeros(1, np.float32), empty, layer, 10)),
        listings,
        np.float32(adding) * rng.random(ITEMS).astype(np.float32),
        Popularity.of(rng.integers(0, 9, ITEMS), 50),
    )


def cases(candidates: np.ndarray | None) -> Cases:
    rng = np.random.default_rng(1)
    rows = [rng.choice(ITEMS, rng.integers(0, 6), replace=False) for _ in range(USERS)]
    return Cases(
        np.arange(USERS, dtype=np.int32), ItemLists.of(rows), ItemLists.of([[0]] * USERS), candidates
    )


@pytest.mark.parametrize("adding", [0.0, 3.0])
@pytest.mark.parametrize("barred", [False, True])
def test_the_best_scores_come_first_without_the_history(adding: float, barred: bool) -> None:
    model, allowed = nearest(adding), np.arange(ITEMS) % 3 > 0
    asked = cases(allowed if barred else None)
    answers = model.recommend(asked, 10)
    require_sound("nearest", answers, asked, ITEMS, 10)
    scores = model.users(asked) @ model.listings.T + model.adding
    for user in range(USERS):
        open_to = np.setdiff1d(np.flatnonzero(allowed) if barred else np.arange(ITEMS), asked.histories[user])
        expected = open_to[np.argsort(-scores[user, open_to])][:10]
        assert scores[user, answers[user]] == pytest.approx(scores[user, expected])
