"""Training: epochs of steps, a look at the validation cases after each, and the best weights in the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from harness.errors import ConfigurationError, MeasurementError
from models.towers.listing import TowerShape
from models.towers.two_tower import TwoTower
from models.training.loop.batches import Sampling, epoch, examples_per_epoch
from models.training.loop.material import Feeder, Material
from models.training.loop.step import compiled_step, optimiser
from models.training.options import TowerOptions, TrainingOptions


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """What an epoch was like. recall: of the validation cases. examples_per_s: while it trained."""

    epoch: int
    loss: float
    recall: float
    examples_per_s: float


@dataclass(slots=True)
class Progress:
    """Everything that training goes on from: after each epoch it is saved whole.

    weights, state: of model and optimiser. best: the weights with the best validation figure so far.
    """

    weights: Any
    state: Any
    best: Any
    records: list[EpochRecord] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """The first epoch with the highest recall, -1 before there is one."""
        return max(self.records, key=lambda record: record.recall).epoch if self.records else -1


Judge = Callable[[TwoTower], float]  # recall of the validation cases
Saver = Callable[[Progress], None]
Reporter = Callable[[int, float, float], None]  # epoch, share of it that is done, loss of the last step


class Trainer:
    """Trains one model on one material. Raises ConfigurationError where there is nothing to learn from."""

    def __init__(
        self, material: Material, shape: TowerShape, towers: TowerOptions, options: TrainingOptions
    ) -> None:
        self._split = material.split
        self._options = options
        examples = examples_per_epoch(material.split.training)
        if not examples:
            raise ConfigurationError(
                "no user took two items or more in what is learnt from, so there is nothing to tell one from the other "
                "by; use data of a longer time, or hold back less (split)"
            )
        self._sampling = Sampling(
            size=min(options.batch, examples),
            longest=options.history,
            dropout=options.history_dropout,
            forgotten=options.forgotten,
            declared=options.declared,
        )
        self._steps = examples // self._sampling.size
        self._feeder = Feeder(material, options)
        self._graph, self._first = nnx.split(
            TwoTower(shape, popular=towers.popularity, rng=np.random.default_rng(options.seed))
        )
        self._optimiser = optimiser(options, self._steps * options.epochs)
        self._step = compiled_step(self._graph, self._optimiser, options.id_dropout)

    def beginning(self) -> Progress:
        """Before the first epoch."""
        weights = jax.tree.map(jnp.array, self._first)
        return Progress(weights, jax.jit(self._optimiser.init)(weights), jax.tree.map(np.asarray, weights))

    def model(self, weights: Any) -> TwoTower:
        """The model with these weights."""
        model: TwoTower = nnx.merge(self._graph, jax.tree.map(jnp.asarray, weights))
        return model

    def train(self, progress: Progress, judge: Judge, save: Saver, report: Reporter) -> TwoTower:
        """Goes on from `progress` until the last epoch, or until patience ends; returns the best model.

        Raises MeasurementError where the loss is no longer finite.
        """
        while not self._finished(progress):
            number, began = len(progress.records), time.perf_counter()
            loss = self._epoch(progress, number, report)
            rate = self._steps * self._sampling.size / (time.perf_counter() - began)
            recall = judge(self.model(progress.weights))
            progress.records.append(EpochRecord(number, loss, recall, rate))
            if progress.best_epoch == number:
                progress.best = jax.tree.map(np.asarray, progress.weights)
            save(progress)
        return self.model(progress.best)

    def _finished(self, progress: Progress) -> bool:
        done = len(progress.records)
        return done >= self._options.epochs or done - 1 - progress.best_epoch >= self._options.patience

    def _epoch(self, progress: Progress, number: int, report: Reporter) -> float:
        """The mean loss. Random numbers depend on seed and epoch alone, so that resuming changes nothing."""
        rng = np.random.default_rng([self._options.seed, number])
        keys = jax.random.split(jax.random.key(int(rng.integers(2**31))), self._steps)
        total = 0.0
        batches = epoch(self._split.training, self._split.ordered, self._sampling, rng)
        for done, batch in enumerate(batches):
            rows, examples = self._feeder(batch, rng)
            progress.weights, progress.state, value = self._step(
                progress.weights, progress.state, rows, examples, keys[done]
            )
            total += float(value)
            if not np.isfinite(total):
                raise MeasurementError(
                    f"epoch {number + 1}: the loss is no longer finite; lower training.learning_rate "
                    f"(it is {self._options.learning_rate:g}) and train anew"
                )
            report(number, (done + 1) / self._steps, float(value))
        return total / self._steps
