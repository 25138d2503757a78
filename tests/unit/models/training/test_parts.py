"""Parts of the towers are an ensemble: each learns for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from flax import nnx
from pydantic import ValidationError

from models.towers.two_tower import TwoTower
from models.training.loop.batches import Sampling, epoch
from models.training.loop.material import Feeder
from models.training.loop.step import compiled_step, optimiser
from models.training.options import TowerOptions
from tests.unit.models.training.tiny import OPTIONS, SHAPE, material

PARTS = 2
WIDTH = SHAPE.dim // PARTS


def beginning(seed: int) -> tuple[Any, Any]:
    shape = replace(SHAPE, parts=PARTS)
    return nnx.split(TwoTower(shape, popular=True, rng=np.random.default_rng(seed)))


def part_of(leaf: Any, part: int) -> np.ndarray:
    """What belongs to a part."""
    array = np.asarray(leaf)
    if _is_by_part(array):
        return array[part]
    width = array.shape[-1] // PARTS
    return array[..., part * width : (part + 1) * width]


def _is_by_part(array: np.ndarray) -> bool:
    """Whether the first axis is of parts, as of layers and of scalars; else the last holds one part after the other."""
    return array.ndim == 3 or array.shape == (PARTS,)


def mixed(own: Any, other: Any) -> Any:
    """The first part of `own` with the second of `other`."""

    def joined(mine: Any, theirs: Any) -> Any:
        sides = part_of(mine, 0), part_of(theirs, 1)
        whole = np.stack(sides) if _is_by_part(np.asarray(mine)) else np.concatenate(sides, axis=-1)
        return jax.numpy.asarray(whole)

    return jax.tree.map(joined, own, other)


@pytest.mark.parametrize("loss", ["full", "sampled"])
def test_a_part_learns_as_if_the_other_were_another(loss: str) -> None:
    options = OPTIONS.model_copy(update={"loss": loss})
    graph, own = beginning(0)
    _, other = beginning(1)
    moved_by = optimiser(options, 10)
    step = compiled_step(graph, moved_by, id_dropout=0.0)
    rng = np.random.default_rng(0)
    batch = next(epoch(material().split.training, False, Sampling(16, 5, 0.2, 0.0, 0.5), rng))
    rows, examples = Feeder(material(), options)(batch, rng)

    def after(weights: Any) -> Any:
        weights = jax.tree.map(lambda leaf: leaf.copy(), weights)
        state = moved_by.init(weights)
        for _ in range(3):
            weights, state, _ = step(weights, state, rows, examples, jax.random.key(0))
        return jax.tree.leaves(weights)

    first, alone, beside = jax.tree.leaves(own), after(own), after(mixed(own, other))
    for leaf, same in zip(alone, beside, strict=True):
        np.testing.assert_allclose(part_of(leaf, 0), part_of(same, 0), rtol=1e-4, atol=1e-6)

    def differ(one: Any, two: Any, part: int) -> int:
        pairs = zip(one, two, strict=True)
        return sum(not np.allclose(part_of(a, part), part_of(b, part), atol=1e-3) for a, b in pairs)

    assert differ(alone, first, 0) > len(first) / 2  # it learns
    assert differ(alone, beside, 1) > len(first) / 2  # and the other part was another


@pytest.mark.parametrize(("dim", "parts"), [(9, 2), (6, 4)])
def test_parts_must_be_equal_and_of_two_coordinates(dim: int, parts: int) -> None:
    assert TowerOptions(dim=8, parts=4).parts == 4
    with pytest.raises(ValidationError, match=rf"dim \({dim}\) must be a multiple of parts \({parts}\)"):
        TowerOptions(dim=dim, parts=parts)
