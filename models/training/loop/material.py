"""What a model is trained on, and how a batch of it gets onto the device."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from models.data.split import Split
from models.features.features import Features
from models.towers.listing import FeatureArrays
from models.training.loop.batches import Batch
from models.training.loop.proposal import Proposal
from models.training.loop.step import Examples, Rows
from models.training.options import TrainingOptions

_ROUNDED_TO = 4096  # rows of a step that needs only some: few sizes, since a step is compiled for each
_KEPT = 0.5  # share of the columns of which a declared preference says something


class Material(NamedTuple):
    """What a model is trained on.

    features: of n listings. nothing: of one of which nothing is known. preferable: bool[c], categories that users may
    declare. popularity: float32[n] in [0, 1].
    """

    features: Features
    nothing: Features
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
        everything = Rows(on_device(material.features), jnp.asarray(material.popularity))
        self._everything = everything if self._full else None

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
            rows = self._rows(needed)
        items, target, negatives = local
        rest = (batch.present, batch.age_days, target)
        declared = on_device(self._declared(batch, rng))
        examples = (items, *rest, declared, batch.declared >= 0, negatives, log_expected)
        return rows, Examples(*jax.tree.map(jnp.asarray, examples))

    def _rows(self, needed: npt.NDArray[np.int64]) -> Rows:
        """Those that are needed, each once, and as many others as fill them up; nobody asks for these."""
        count = len(needed)
        filled = np.resize(needed, -(-count // _ROUNDED_TO) * _ROUNDED_TO)
        features = self._material.features.take(filled)
        known = (features.ids > 0) & (np.arange(len(filled)) < count)
        beyond = np.iinfo(np.int32).max
        places = np.where(known, np.arange(1, len(filled) + 1), 0)
        return Rows(
            on_device(replace(features, ids=places.astype(np.int32))),
            jnp.asarray(self._material.popularity[filled]),
            jnp.asarray(np.concatenate([[beyond], np.where(known, features.ids, beyond)]).astype(np.int32)),
        )

    def _declared(self, batch: Batch, rng: np.random.Generator) -> Features:
        """Of each example a listing of which only some of the columns that users may declare are known."""
        rows = np.maximum(batch.declared, 0)
        said = self._material.preferable & (rng.random((len(rows), len(self._material.preferable))) < _KEPT)
        known = self._material.features.categories[rows]
        nothing = self._material.nothing.take(np.zeros(len(rows), np.int64))
        return replace(nothing, categories=np.where(said, known, nothing.categories))


def on_device(features: Features) -> FeatureArrays:
    """As the towers take them."""
    columns = (features.ids, features.categories, features.numbers, features.text)
    return FeatureArrays(*map(jnp.asarray, columns))
