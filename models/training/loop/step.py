"""One step of training, compiled: loss, gradients, and new weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import optax
from flax import nnx

from models.towers.listing import FeatureArrays
from models.towers.losses import full_softmax, sampled_softmax
from models.towers.two_tower import TwoTower
from models.training.loop.id_rows import gathered, scattered
from models.training.options import TrainingOptions


class Examples(NamedTuple):
    """A batch on the device. Items are numbers of the rows that the step is given, which need not be the catalogue's.

    negatives: int32[s] with log_expected: float32[s]; both empty where the loss is over every row.
    """

    items: jax.Array
    present: jax.Array
    age_days: jax.Array
    target: jax.Array
    declared: FeatureArrays
    declares: jax.Array
    negatives: jax.Array
    log_expected: jax.Array


Weights = Any  # a tree of arrays


class Rows(NamedTuple):
    """The n listings that a step sees. popularity: float32[n].

    ids: None where `features.ids` are rows of the table of ids; else they are numbers of its rows that the step needs,
    int32[r], the first of which stands for none, as that of the table does; numbers beyond the table are not there.
    """

    features: FeatureArrays
    popularity: jax.Array
    ids: jax.Array | None = None


Step = Callable[[Weights, Any, Rows, Examples, jax.Array], tuple[Weights, Any, jax.Array]]


def optimiser(options: TrainingOptions, steps: int) -> optax.GradientTransformation:
    """AdamW, its rate rising over the first steps and then falling to 0 along a cosine; scalars and offsets do not
    decay.
    """
    rate = optax.warmup_cosine_decay_schedule(
        0.0, options.learning_rate, max(1, round(options.warmup * steps)), max(2, steps), 0.0
    )

    def decays(weights: Weights) -> Any:
        return jax.tree.map(lambda array: array.ndim > 1, weights)

    return optax.adamw(rate, weight_decay=options.weight_decay, mask=decays)


def compiled_step(graph: Any, optimiser: optax.GradientTransformation, id_dropout: float) -> Step:
    """The step as a function of (weights, optimiser's state, rows, examples, key)."""

    def loss(weights: Weights, rows: Rows, batch: Examples, key: jax.Array) -> jax.Array:
        model: TwoTower = nnx.merge(graph, weights)
        features, popularity, _ = rows
        known = jax.random.bernoulli(key, 1 - id_dropout, (len(features.ids), model.parts))
        listings = model.listing(features, known)
        users = model.users(
            listings,
            batch.items,
            batch.present,
            batch.age_days,
            declared=batch.declared,
            declares=batch.declares,
        )
        history = {"target": batch.target, "history": batch.items, "present": batch.present}

        def sampled(target_score: jax.Array, scores: jax.Array) -> jax.Array:
            drawn = {"negatives": batch.negatives, "log_expected": batch.log_expected}
            return sampled_softmax(target_score, scores, **drawn, **history)

        # Each part for itself.
        if not len(batch.negatives):
            scores = model.scores(users, listings, popularity)
            return jax.vmap(lambda scores: full_softmax(scores, **history))(scores).mean()
        return jax.vmap(sampled)(
            model.paired_scores(users, listings[batch.target], popularity[batch.target]),
            model.scores(users, listings[batch.negatives], popularity[batch.negatives]),
        ).mean()

    def whole_step(
        weights: Weights, state: Any, rows: Rows, batch: Examples, key: jax.Array
    ) -> tuple[Weights, Any, jax.Array]:
        value, gradients = jax.value_and_grad(loss)(weights, rows, batch, key)
        updates, state = optimiser.update(gradients, state, weights)
        return optax.apply_updates(weights, updates), state, value

    def step(
        weights: Weights, state: Any, rows: Rows, batch: Examples, key: jax.Array
    ) -> tuple[Weights, Any, jax.Array]:
        if rows.ids is None:
            return whole_step(weights, state, rows, batch, key)
        part = gathered((weights, state), rows.ids)
        *moved, value = whole_step(part[0], part[1], rows, batch, key)
        weights, state = scattered((weights, state), tuple(moved), rows.ids)
        return weights, state, value

    compiled: Step = jax.jit(step, donate_argnums=(0, 1))
    return compiled
