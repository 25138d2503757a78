"""Steps that need few rows of the table of ids move these as a step over the whole table would, and no others."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from flax import nnx

from models.towers.two_tower import TwoTower
from models.training.loop.batches import Sampling, epoch
from models.training.loop.id_rows import gathered, scattered
from models.training.loop.material import Feeder
from models.training.loop.step import Examples, Rows, compiled_step, optimiser
from tests.unit.models.training.tiny import ITEMS, OPTIONS, SHAPE, material

SAMPLED = OPTIONS.model_copy(update={"loss": "sampled", "negatives": 20, "weight_decay": 0.5})


def fed(seed: int) -> tuple[Rows, Examples]:
    rng = np.random.default_rng(seed)
    batch = next(epoch(material().split.training, False, Sampling(8, 5, 0.2, 0.0, 0.5), rng))
    return Feeder(material(), SAMPLED)(batch, rng)


def table(tree: Any) -> np.ndarray:
    return np.asarray(tree["listing"]["ids"][...])


def numbers(rows: Rows) -> np.ndarray:
    """The rows of the whole table that a step needs."""
    assert rows.ids is not None
    found = np.asarray(rows.ids)
    return np.unique(found[found <= ITEMS])


def test_rows_move_as_in_a_step_over_the_whole_table_and_others_stay() -> None:
    graph, first = nnx.split(TwoTower(SHAPE, popular=True, rng=np.random.default_rng(0)))
    moved_by = optimiser(SAMPLED, 10)
    step = compiled_step(graph, moved_by, id_dropout=0.0)
    rows, examples = fed(0)
    needed = numbers(rows)
    assert 0 < len(needed) < ITEMS
    # The same listings by their rows in the whole table: every row is moved then.
    ids = np.asarray(rows.ids)
    at = ids[np.asarray(rows.features.ids)]
    whole = Rows(rows.features._replace(ids=np.where(at <= ITEMS, at, 0).astype(np.int32)), rows.popularity)

    def after(given: Rows) -> Any:
        weights = jax.tree.map(lambda leaf: leaf.copy(), first)
        state = moved_by.init(weights)
        for _ in range(3):  # the first has a rate of 0
            weights, state, _ = step(weights, state, given, examples, jax.random.key(0))
        return weights

    few, every = after(rows), after(whole)
    others = np.setdiff1d(np.arange(ITEMS + 1), needed)
    np.testing.assert_allclose(table(few)[needed], table(every)[needed], rtol=1e-4, atol=1e-6)
    assert not np.allclose(table(few)[needed], table(first)[needed])
    np.testing.assert_array_equal(table(few)[others], table(first)[others])
    assert not np.allclose(table(every)[others], table(first)[others])  # they decay


def test_a_row_that_is_filled_up_with_is_not_moved_twice() -> None:
    rows, _ = fed(1)
    assert rows.ids is not None
    ids = np.asarray(rows.ids)
    known = ids[ids <= ITEMS]
    assert len(ids) > ITEMS + 1  # filled up
    assert len(np.unique(known)) == len(known)
    used = np.asarray(rows.features.ids)
    assert set(used[used > 0]) == {place for place, row in enumerate(ids) if row <= ITEMS}


def test_only_tables_of_ids_are_taken_apart() -> None:
    tree = {"listing": {"ids": np.arange(8.0).reshape(4, 2), "text": np.ones((4, 2))}, "ids": np.ones(4)}
    tree = jax.tree.map(jax.numpy.asarray, tree)
    rows = jax.numpy.asarray([99, 2])
    part = gathered(tree, rows)
    assert part["listing"]["ids"].tolist() == [[6.0, 7.0], [4.0, 5.0]]
    assert part["listing"]["text"].shape == (4, 2)
    assert part["ids"].shape == (4,)
    moved = jax.tree.map(lambda leaf: leaf + 10, part)
    whole = scattered(tree, moved, rows)
    assert whole["listing"]["ids"].tolist() == [[0.0, 1.0], [2.0, 3.0], [14.0, 15.0], [6.0, 7.0]]
    assert whole["ids"].tolist() == [11.0] * 4
