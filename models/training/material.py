"""What a model is trained on, and how a batch of it gets onto the device."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from models.data.split import Split
from models.towers.listing import FeatureArrays
from models.training.batches import Batch
from models.training.options import TrainingOptions
from models.training.proposal import Proposal
from models.training.step import Examples, Rows

_ROUNDED_TO = 4096  # rows of a step that needs only some: few sizes, since a step is compiled for each
_KEPT = 0.5  # share of the columns of which a declared preference says something


class Material(NamedTuple):
    """What a model is trained on.

    features: of n listings, on the host. nothing: one row, of a listing of which nothing is known. preferable: bool[c],
    categories that users may declare. popularity: float32[n] in [0, 1].
    """

    features: FeatureArrays
    nothing: FeatureArrays
    preferable: npt.NDArray[np.bool_]
    popularity: npt.NDArray[np.float32]
    split: Split


class Feeder:
    """Turns batches into what a step takes: all listings, or those that the batch and its negatives need."""

    def __init__(self, material: Material, options: TrainingOptions) -> None:
        self._material = material
        self._full = options.is_full(len(material.popularity))
        self._negatives = options.negatives
        self._proposal = Proposal.of(material.split.taken, options.uniform)
        self._everything = self._rows(np.arange(len(material.popularity))) if self._full else None

    def __call__(self, batch: Batch, rng: np.random.Generator) -> tuple[Rows, Examples]:
        """Features and popularity of the rows of a step, and the batch in their numbers."""
        drawn, log_expected = np.empty(0, np.int32), np.empty(0, np.float32)
        if self._everything is not None:
            rows, local = self._everything, [batch.items, batch.target, drawn]
        else:
            drawn, log_expected = self._proposal.draw(self._negatives, rng)
            items = np.where(batch.present, batch.items, batch.target[:, None])
            needed = np.unique(np.concatenate([items.ravel(), batch.target, drawn]))
            local = [np.searchsorted(needed, part).astype(np.int32) for part in (items, batch.target, drawn)]
            # What fills up the last rows repeats others; nobody asks for these.
            rows = self._rows(np.resize(needed, -(-len(needed) // _ROUNDED_TO) * _ROUNDED_TO))
        items, target, negatives = local
        declared = self._declared(batch, rng)
        rest = (
            items,
            batch.present,
            batch.age_days,
            target,
            declared,
            batch.declared >= 0,
            negatives,
            log_expected,
        )
        return rows, _on_device(Examples(*rest))  # type: ignore[arg-type]

    def _rows(self, rows: npt.NDArray[np.int64]) -> Rows:
        features = FeatureArrays(*(column[rows] for column in self._material.features))
        return _on_device(features), jnp.asarray(self._material.popularity[rows])

    def _declared(self, batch: Batch, rng: np.random.Generator) -> FeatureArrays:
        """Of each example a listing of which only some of the columns that users may declare are known."""
        nothing, rows = self._material.nothing, np.maximum(batch.declared, 0)
        said = self._material.preferable & (rng.random((len(rows), len(self._material.preferable))) < _KEPT)
        known = np.where(said, self._material.features.categories[rows], nothing.categories)
        ids, _, numbers, text = (np.repeat(np.asarray(column), len(rows), axis=0) for column in nothing)
        return FeatureArrays(ids, known, numbers, text)  # type: ignore[arg-type]  # on the host


def _on_device(tree: Any) -> Any:
    return jax.tree.map(jnp.asarray, tree)
