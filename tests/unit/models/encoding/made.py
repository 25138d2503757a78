"""Made-up models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.encoding.encoder import Encoder
from models.encoding.weights import ListingWeights, Residual, TowerWeights, UserWeights
from models.features.encoder import FeatureEncoder
from models.features.features import Features, Float32, Sizes
from models.features.options import FeatureOptions
from tests.unit.models.features.catalogues import catalogue, taken

DIM, HIDDEN = 8, 12
SIZES = Sizes(ids=30, categories=(5, 1, 40), numbers=4, text=6)


def random(generator: np.random.Generator, *shape: int) -> Float32:
    return generator.standard_normal(shape).astype(np.float32)


def weights(sizes: Sizes = SIZES, longest: int = 24, seed: int = 0, parts: int = 1) -> TowerWeights:
    """Towers as training might leave them: also in the row of no id there is something."""
    width = DIM // parts
    generator = np.random.default_rng(seed)

    def made(*shape: int) -> Float32:
        return random(generator, *shape)

    def layer() -> Residual:
        return Residual(made(parts, width, HIDDEN), made(parts, HIDDEN), made(parts, HIDDEN, width))

    popularity = generator.random(sizes.ids).astype(np.float32)
    popularity[0] = 0
    return TowerWeights(
        ListingWeights(
            made(sizes.ids, DIM),
            tuple(made(words, DIM) for words in sizes.categories),
            made(sizes.numbers, DIM),
            made(sizes.text, DIM),
            layer(),
        ),
        UserWeights(
            made(parts, width) * 2,
            np.full(parts, -0.3, np.float32),
            made(DIM),
            layer(),
            longest,
        ),
        popularity,
        0.4,
    )


def features(rows: int, sizes: Sizes = SIZES, seed: int = 0) -> Features:
    """A third of the listings has no id."""
    generator = np.random.default_rng(seed)
    ids = generator.integers(0, sizes.ids, rows) * (generator.random(rows) < 2 / 3)
    codes = [generator.integers(0, words, rows) for words in sizes.categories]
    return Features(
        ids.astype(np.int32),
        np.array(codes, np.int32).reshape(len(codes), rows).T,
        random(generator, rows, sizes.numbers),
        random(generator, rows, sizes.text),
    )


def unit_vectors(rows: int, seed: int = 0) -> Float32:
    vectors = random(np.random.default_rng(seed), rows, DIM)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def encoder(weight: float = 0.4) -> Encoder:
    fitted = FeatureEncoder.fit(catalogue(), taken(), FeatureOptions(text_dim=6))
    return Encoder(fitted, replace(weights(fitted.sizes), weight=weight))
