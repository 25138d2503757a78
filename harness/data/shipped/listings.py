"""Second-hand listings: attributes drawn from measured frequencies, correlated with the images."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from engines.base import FieldKind
from engines.columns import Column, Keywords
from harness.data.shipped.correlation import choose, correlated_keys, stretches, zipf
from harness.data.shipped.listings_manifest import Listings, Shares

KINDS: dict[str, FieldKind | Literal["text"]] = {
    "category": "keyword",
    "brand": "keyword",
    "size": "keyword",
    "condition": "keyword",
    "colour": "keyword",
    "price": "float",
    "listed_at": "integer",
    "title": "text",
}
_POOL = 4  # pixels a side that are summed before clustering
_SAMPLE = 10_000
_ROUNDS = 10
_DAY_S = 86_400
_ONSETS = (
    "b",
    "br",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "sk",
    "t",
    "v",
    "z",
)
_VOWELS = ("a", "e", "i", "o", "u", "ae", "eo", "ui")
_ENDINGS = (
    "bec",
    "dru",
    "fen",
    "gal",
    "kov",
    "lund",
    "mir",
    "nox",
    "pel",
    "quist",
    "rond",
    "sval",
    "tov",
    "vig",
)

Integers = npt.NDArray[np.integer]


def generate(spec: Listings, labels: Integers, clusters: Integers) -> dict[str, Column]:
    """The attributes KINDS, one row an image.

    labels: integer[n], index into spec.garments. clusters: integer[n], the visual cluster. Brand and price
    follow the cluster as closely as spec.correlation says, each in an order of clusters of its own; the other
    attributes follow nothing but the label. Every attribute has its own random stream.
    """
    rows = len(labels)
    brands = _brands(spec, clusters)
    sizes = _sizes(spec, labels)
    colours = _drawn(spec.colours, _stream(spec, "colour").random(rows))
    categories = _keywords([garment.category for garment in spec.garments], labels)
    words = zip(brands.decode(), categories.decode(), colours.decode(), sizes.decode(), strict=True)
    titles = [f"{brand} {category.lower()}, {colour}, {size}" for brand, category, colour, size in words]
    first = spec.listed_at.start
    return {
        "category": categories,
        "brand": brands,
        "size": sizes,
        "condition": _drawn(spec.conditions, _stream(spec, "condition").random(rows)),
        "colour": colours,
        "price": _prices(spec, clusters, brands),
        "listed_at": _stream(spec, "listed_at").integers(
            first, first + spec.listed_at.days * _DAY_S, size=rows
        ),
        "title": Keywords.encode(titles),
    }


def visual_clusters(images: npt.NDArray[np.uint8], spec: Listings) -> npt.NDArray[np.int64]:
    """k-means (Lloyd's algorithm on a sample) over coarse images.

    images: uint8[n, height, width]. Returns int64[n]. Every number is a whole one below 2^53, so the products
    are exact and the clusters the same on every machine, whatever its linear algebra library.
    """
    coarse = _coarse(images)
    rng = _stream(spec, "clusters")
    sample = coarse[rng.choice(len(coarse), size=min(_SAMPLE, len(coarse)), replace=False)]
    centres = sample[: spec.visual_clusters].copy()
    for _ in range(_ROUNDS):
        members = _nearest(sample, centres)
        counts = np.bincount(members, minlength=len(centres))
        sums = np.stack([np.bincount(members, pixel, len(centres)) for pixel in sample.T], axis=1)
        used = counts > 0
        centres[used] = np.floor(sums[used] / counts[used, None])
    return _nearest(coarse, centres)


def brand_names(count: int, rng: np.random.Generator) -> list[str]:
    """Distinct invented names."""
    names: dict[str, None] = {}
    while len(names) < count:
        onset, vowel, middle, ending = (
            part[rng.integers(len(part))] for part in (_ONSETS, _VOWELS, _ONSETS, _ENDINGS)
        )
        names[f"{onset}{vowel}{middle}{_VOWELS[rng.integers(5)]}{ending}".capitalize()] = None
    return list(names)


def _coarse(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    n, height, width = images.shape
    tall, wide = height // _POOL, width // _POOL
    tiles = images[:, : tall * _POOL, : wide * _POOL].reshape(n, tall, _POOL, wide, _POOL)
    return np.asarray(tiles.sum(axis=(2, 4), dtype=np.float64).reshape(n, tall * wide))


def _nearest(points: npt.NDArray[np.float64], centres: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The nearest centre of each point: argmin of |c|^2 - 2 p.c."""
    return np.asarray(np.argmin((centres**2).sum(axis=1) - 2 * (points @ centres.T), axis=1))


def _stream(spec: Listings, attribute: str) -> np.random.Generator:
    return np.random.default_rng([spec.seed, *attribute.encode()])


def _keywords(words: Sequence[str], indices: Integers) -> Keywords:
    vocabulary = sorted(set(words))
    codes = np.array([vocabulary.index(word) for word in words], dtype=np.int32)
    return Keywords(codes[indices], np.array(vocabulary, dtype=object))


def _drawn(shares: Shares, keys: npt.NDArray[np.float64]) -> Keywords:
    return _keywords(list(shares), choose(np.array(list(shares.values())), keys))


def _cluster_keys(spec: Listings, clusters: Integers, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    order = rng.permutation(int(clusters.max()) + 1)
    groups = order[clusters]
    starts, widths = stretches(np.bincount(groups, minlength=len(order)))
    return correlated_keys(groups, starts, widths, spec.correlation, rng)


def _brands(spec: Listings, clusters: Integers) -> Keywords:
    rng = _stream(spec, "brand")
    names = brand_names(spec.brands.count, rng)
    shares = zipf(spec.brands.count, spec.brands.exponent, spec.brands.shift)
    # Neighbours on this axis share clusters; in a random order, frequent brands are spread over all of them.
    axis = rng.permutation(spec.brands.count)
    return _keywords(names, axis[choose(shares[axis], _cluster_keys(spec, clusters, rng))])


def _sizes(spec: Listings, labels: Integers) -> Keywords:
    keys = _stream(spec, "size").random(len(labels))
    words = [(kind, size) for kind, shares in spec.sizes.items() for size in shares]
    chosen = np.empty(len(labels), dtype=np.int64)
    for label, garment in enumerate(spec.garments):
        rows = np.flatnonzero(labels == label)
        first = words.index((garment.sizes, next(iter(spec.sizes[garment.sizes]))))
        chosen[rows] = first + choose(np.array(list(spec.sizes[garment.sizes].values())), keys[rows])
    return _keywords([size for _, size in words], chosen)


def _prices(spec: Listings, clusters: Integers, brands: Keywords) -> npt.NDArray[np.float64]:
    """Log-normal, luxury brands apart; in steps of one half, so that no last bit differs between machines."""
    rng = _stream(spec, "price")
    luxury = rng.random(len(brands.vocabulary)) < spec.brands.luxury_share
    keys = np.clip(_cluster_keys(spec, clusters, rng), 1e-9, 1 - 1e-9)
    deviate = NormalDist().inv_cdf
    normal = np.array([deviate(key) for key in keys.tolist()])
    mass, dear = spec.prices.mass, spec.prices.luxury
    logs = np.where(
        luxury[brands.codes], dear.ln_mean + dear.ln_sd * normal, mass.ln_mean + mass.ln_sd * normal
    )
    return np.maximum(np.round(2 * np.exp(logs)) / 2, 0.5)
