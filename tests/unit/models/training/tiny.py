"""A catalogue of six kinds of listings, and users who each take some of one kind."""

from __future__ import annotations

import numpy as np

from models.data.interactions import ItemLists
from models.data.split import Cases, Split
from models.evaluation.nearest import Nearest
from models.evaluation.popularity import Popularity
from models.evaluation.recommender import places
from models.features.features import Features
from models.towers.export import exported
from models.towers.listing import TowerShape
from models.towers.two_tower import TwoTower
from models.training.loop.material import Material
from models.training.loop.trainer import Trainer
from models.training.options import TowerOptions, TrainingOptions

KINDS, EACH, USERS = 6, 20, 300
ITEMS = KINDS * EACH
SHAPE = TowerShape(ids=ITEMS + 1, categories=(KINDS + 1, 4), numbers=2, text=3, dim=8, hidden=16)
OPTIONS = TrainingOptions(epochs=3, batch=32, learning_rate=0.01, history=5, negatives=60, seed=3)


def material() -> Material:
    rng = np.random.default_rng(0)
    kinds = np.repeat(np.arange(KINDS), EACH)
    rows = [
        rng.choice(np.flatnonzero(kinds == kind), 5, replace=False) for kind in rng.integers(0, KINDS, USERS)
    ]
    training = ItemLists.of([row[:4] if user < 200 else [] for user, row in enumerate(rows)])

    def cases(users: range) -> Cases:
        return Cases(
            np.array(users, np.int32),
            ItemLists.of([rows[user][:4] for user in users]),
            ItemLists.of([rows[user][4:] for user in users]),
        )

    taken = np.bincount(training.items, minlength=ITEMS)
    features = Features(
        np.where(taken > 0, np.arange(ITEMS) + 1, 0).astype(np.int32),
        np.stack([kinds + 1, rng.integers(0, 4, ITEMS)], axis=1).astype(np.int32),
        rng.normal(size=(ITEMS, 2)).astype(np.float32),
        rng.normal(size=(ITEMS, 3)).astype(np.float32),
    )
    nothing = Features(
        *(
            np.zeros_like(column[:1])
            for column in (features.ids, features.categories, features.numbers, features.text)
        )
    )
    popularity = (np.log1p(taken) / np.log1p(taken.max())).astype(np.float32)
    split = Split("leave-last-out", False, training, taken, cases(range(200, 250)), cases(range(250, USERS)))
    return Material(features, nothing, np.array([True, False]), popularity, split)


def trainer(options: TrainingOptions = OPTIONS) -> Trainer:
    return Trainer(material(), SHAPE, TowerOptions(dim=8, hidden=16), options)


def recall(model: TwoTower, cases: Cases, k: int = 16) -> float:
    """Of 20 of a kind 4 are in the history; a model that knows the kind finds all of the other 16."""
    made = material()
    rows = np.zeros(SHAPE.ids, np.float32)
    rows[made.features.ids] = made.popularity
    rows[0] = 0
    nearest = Nearest.of(exported(model, rows, 5), made.features, Popularity.in_training(made.split))
    return float((places(nearest.recommend(cases, k), cases.targets) >= 0).mean())
