"""Training: it learns, stops, goes on after a kill as if nothing had happened, and repeats itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from harness.errors import ConfigurationError, MeasurementError
from models.data.interactions import ItemLists
from models.towers.two_tower import TwoTower
from models.training.loop.checkpoints import Checkpoints
from models.training.loop.trainer import Progress, Trainer
from models.training.options import TowerOptions, TrainingOptions
from tests.unit.models.training.tiny import OPTIONS, SHAPE, material, recall, trainer


def judge(model: TwoTower) -> float:
    return recall(model, material().split.validation)


def quiet(*_: Any) -> None:
    pass


def arrays(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def same(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True))


def trained(made: Trainer) -> Progress:
    progress = made.beginning()
    made.train(progress, judge, quiet, quiet)
    return progress


@pytest.mark.parametrize("loss", ["full", "sampled"])
def test_it_finds_out_what_users_take(loss: str) -> None:
    made = trainer(OPTIONS.model_copy(update={"loss": loss, "epochs": 16, "patience": 16}))
    progress = made.beginning()
    untrained = recall(made.model(progress.weights), material().split.test)
    model = made.train(progress, judge, quiet, quiet)
    assert untrained < 0.6
    assert recall(model, material().split.test) > 0.7
    assert progress.records[-1].loss < progress.records[0].loss


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, second = trained(trainer()), trained(trainer())
    assert same(first.weights, second.weights)
    assert [r.recall for r in first.records] == [r.recall for r in second.records]
    assert not same(first.weights, trained(trainer(OPTIONS.model_copy(update={"seed": 2}))).weights)


@pytest.mark.parametrize("killed_after", [1, 2])
def test_resuming_after_a_kill_changes_nothing(tmp_path: Path, killed_after: int) -> None:
    class KilledError(Exception):
        pass

    def save_and_die(progress: Progress) -> None:
        checkpoints.save(progress)
        if len(progress.records) == killed_after:
            raise KilledError

    with Checkpoints(tmp_path / "checkpoints") as checkpoints, pytest.raises(KilledError):
        made = trainer()
        made.train(made.beginning(), judge, save_and_die, quiet)
    with Checkpoints(tmp_path / "checkpoints") as checkpoints:
        again = trainer()
        progress = checkpoints.newest(again.beginning())
        assert len(progress.records) == killed_after
        again.train(progress, judge, checkpoints.save, quiet)
    whole = trained(trainer())
    assert same(whole.weights, progress.weights)
    assert same(whole.best, progress.best)
    assert [r.loss for r in whole.records] == [r.loss for r in progress.records]


def test_a_catalogue_without_numbers_and_text_is_saved_and_gone_on_with(tmp_path: Path) -> None:
    full = material()
    none = np.zeros((len(full.features), 0), np.float32)
    features, nothing = (
        replace(held, numbers=none[: len(held)], text=none[: len(held)])
        for held in (full.features, full.nothing)
    )
    bare = full._replace(features=features, nothing=nothing)
    shape = replace(SHAPE, numbers=0, text=0)
    options = OPTIONS.model_copy(update={"epochs": 1})
    made = Trainer(bare, shape, TowerOptions(dim=8, hidden=16), options)
    progress = made.beginning()
    with Checkpoints(tmp_path) as checkpoints:
        made.train(progress, lambda _: 0.5, checkpoints.save, quiet)
    with Checkpoints(tmp_path) as checkpoints:
        found = checkpoints.newest(made.beginning())
    assert same(found.weights, progress.weights)
    assert same(found.best, progress.best)
    assert same(found.state, progress.state)
    assert not same(found.weights, made.beginning().weights)


def test_without_a_checkpoint_training_begins_at_the_beginning(tmp_path: Path) -> None:
    beginning = trainer().beginning()
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.newest(beginning) is beginning


def test_training_stops_when_it_gets_no_better_and_keeps_the_best() -> None:
    figures = iter([0.2, 0.5, 0.4, 0.5, 0.3])
    made = trainer(TrainingOptions(**OPTIONS.model_dump() | {"epochs": 50, "patience": 3}))
    progress, seen = made.beginning(), []
    made.train(
        progress,
        lambda _: next(figures),
        lambda p: seen.append([np.array(leaf) for leaf in arrays(p.weights)]),
        quiet,
    )
    assert [record.recall for record in progress.records] == [0.2, 0.5, 0.4, 0.5, 0.3]
    assert progress.best_epoch == 1
    assert same(progress.best, seen[1])
    assert not same(progress.best, seen[4])


def test_a_loss_that_is_no_longer_finite_ends_the_training() -> None:
    made = trainer(OPTIONS.model_copy(update={"learning_rate": 1e38, "warmup": 0.0}))
    with pytest.raises(
        MeasurementError, match=r"epoch \d: the loss is no longer finite; lower training.learning_rate"
    ):
        trained(made)


def test_nothing_to_learn_from_is_refused() -> None:
    full = material()
    ones = ItemLists.of([[item] for item in range(20)] + [[]])
    alone = full._replace(split=replace(full.split, training=ones))
    with pytest.raises(ConfigurationError, match="no user took two items or more"):
        Trainer(alone, SHAPE, TowerOptions(dim=8, hidden=16), OPTIONS)
