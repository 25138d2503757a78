"""The listings of the marketplace: their attributes and their places in the space of tastes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.data.shipped.correlation import choose, correlated_keys, stretches, zipf
from harness.data.shipped.listings import brand_names
from harness.data.shipped.listings_manifest import Listings, LogNormal
from models.data.items import MISSING
from models.data.marketplace.figures import (
    CONDITION_SCORES,
    GARMENTS,
    MATERIALS,
    STYLE_EXPONENT,
    STYLES,
    UNKNOWN_MATERIAL,
)
from models.data.marketplace.options import MarketplaceOptions
from models.data.marketplace.sizes import Sizes

DAY_MS = 86_400_000
MATERIAL_WORDS = tuple(sorted({word for shares in MATERIALS.values() for word in shares}))
# A listing's place is the sum of these directions, each of length one, brought to length one.
_STYLE, _BRAND, _CATEGORY, _OWN = 0.7, 0.5, 0.35, 0.4
_BRAND_OWN = 0.4  # of a brand's place, beside its styles
# The shares of the variance of log prices within a segment; the rest is the listing's own.
_BY_BRAND, _BY_CATEGORY, _BY_CONDITION = 0.35, 0.25, 0.1

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stock:
    """n listings, in the order in which they were listed.

    latents: float32[n, d], unit vectors. style, brand (0 is the most frequent), size, category, condition, colour,
    material (MISSING where not told): int32[n]. brands: the brands' names; luxury: bool[brands]. price: float64[n].
    level: float32[n], the log price beside what the category usually costs. appeal: float32[n], what makes a listing
    wanted by everybody and stands in no column. listed_ms: int64[n]. styles: float32[styles, d], unit vectors.
    """

    latents: Float32
    style: Ints
    brand: Ints
    size: Ints
    category: Ints
    condition: Ints
    colour: Ints
    material: Ints
    brands: tuple[str, ...]
    luxury: npt.NDArray[np.bool_]
    price: Floats
    level: Float32
    appeal: Float32
    listed_ms: npt.NDArray[np.int64]
    styles: Float32

    def __len__(self) -> int:
        return len(self.style)


def make_stock(options: MarketplaceOptions, spec: Listings, sizes: Sizes) -> Stock:
    """Draws the listings; every attribute has a random stream of its own."""
    n = options.listings
    shares = zipf(len(STYLES), STYLE_EXPONENT)
    styles = unit(options.stream("styles").standard_normal((len(STYLES), options.latent)))
    style = choose(shares, options.stream("style").random(n))
    brand, brand_styles = _brands(options, spec, style, shares)
    categories = np.array([garment.share for garment in GARMENTS])
    category = choose(categories, options.stream("category").random(n))
    condition = choose(np.array(list(spec.conditions.values())), options.stream("condition").random(n))
    rng = options.stream("colour")
    colour = choose(np.array(list(spec.colours.values())), _keys(style, shares, options.correlation, rng))
    luxury = options.stream("luxury").random(spec.brands.count) < spec.brands.luxury_share
    price, level = _prices(options, spec, brand, luxury, category, condition)
    earliest = options.start_ms - options.days_before * DAY_MS
    latest = options.start_ms + options.days * DAY_MS
    return Stock(
        latents=_latents(options, styles, style, brand_styles, brand, category),
        style=style,
        brand=brand,
        size=_sizes(options, sizes, category),
        category=category,
        condition=condition,
        colour=colour,
        material=_materials(options, category),
        brands=tuple(brand_names(spec.brands.count, options.stream("brand names"))),
        luxury=luxury,
        price=price,
        level=level,
        appeal=options.stream("appeal").standard_normal(n, dtype=np.float32),
        listed_ms=np.sort(options.stream("listed").integers(earliest, latest, n)),
        styles=styles,
    )


def unit(rows: npt.NDArray[np.floating]) -> Float32:
    """Rows of length one. float32 of the shape of `rows`."""
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def _keys(style: Ints, shares: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """Uniform keys that follow the style, in an order of styles of their own."""
    order = rng.permutation(len(shares))
    placed = np.empty_like(shares)
    placed[order] = shares
    starts, widths = stretches(placed)  # type: ignore[arg-type] # expected shares, so that no draw shifts another
    return correlated_keys(order[style], starts, widths, strength, rng)


def _brands(options: MarketplaceOptions, spec: Listings, style: Ints, shares: Floats) -> tuple[Ints, Floats]:
    """Each listing's brand, and float64[brands, styles], how a brand's listings that follow a style are divided."""
    rng = options.stream("brand")
    frequency = zipf(spec.brands.count, spec.brands.exponent, spec.brands.shift)
    # Neighbours on this axis share a style; in a random order, frequent brands are spread over all of them.
    axis = rng.permutation(spec.brands.count)
    starts, widths = stretches(shares)  # type: ignore[arg-type]
    keys = correlated_keys(style, starts, widths, options.correlation, rng)
    brand = axis[choose(frequency[axis], keys)].astype(np.int32)
    ends = np.cumsum(frequency[axis])
    begins = ends - frequency[axis]
    overlap = np.minimum(ends[:, None], starts + widths) - np.maximum(begins[:, None], starts)
    divided = np.empty_like(overlap)
    divided[axis] = np.maximum(overlap, 0) / frequency[axis][:, None]
    return brand, divided


def _latents(  # noqa: PLR0917 - what a place is the sum of
    options: MarketplaceOptions,
    styles: Float32,
    style: Ints,
    brand_styles: Floats,
    brand: Ints,
    category: Ints,
) -> Float32:
    rng = options.stream("places")
    own = unit(rng.standard_normal((len(brand_styles), options.latent)))
    brands = unit(brand_styles @ styles + _BRAND_OWN * own)
    categories = unit(rng.standard_normal((len(GARMENTS), options.latent)))
    places = options.stream("own place").standard_normal((len(style), options.latent), dtype=np.float32)
    places = _OWN * unit(places)
    places += np.float32(_STYLE) * styles[style]
    places += np.float32(_BRAND) * brands[brand]
    places += np.float32(_CATEGORY) * categories[category]
    return unit(places)


def _sizes(options: MarketplaceOptions, sizes: Sizes, category: Ints) -> Ints:
    keys = options.stream("size").random(len(category))
    chosen = np.empty(len(category), np.int32)
    for number, garment in enumerate(GARMENTS):
        rows = np.flatnonzero(category == number)
        codes = sizes.codes(garment.sizes)
        chosen[rows] = codes[choose(sizes.supply[codes], keys[rows])]
    return chosen


def _materials(options: MarketplaceOptions, category: Ints) -> Ints:
    rng = options.stream("material")
    keys, told = rng.random(len(category)), rng.random(len(category)) >= UNKNOWN_MATERIAL
    chosen = np.empty(len(category), np.int32)
    for number, garment in enumerate(GARMENTS):
        rows = np.flatnonzero(category == number)
        shares = MATERIALS[garment.made_of]
        codes = np.array([MATERIAL_WORDS.index(word) for word in shares])
        chosen[rows] = codes[choose(np.array(list(shares.values())), keys[rows])]
    return np.where(told, chosen, MISSING).astype(np.int32)


def _prices(  # noqa: PLR0917 - what a price follows
    options: MarketplaceOptions,
    spec: Listings,
    brand: Ints,
    luxury: npt.NDArray[np.bool_],
    category: Ints,
    condition: Ints,
) -> tuple[Floats, Float32]:
    """Prices, log-normal by segment, and levels.

    What each part of the log adds has mean 0 and variance 1 over the listings expected, so that mean and spread of a
    segment stay as they were measured. In steps of one half, as sellers ask.
    """
    rng = options.stream("price")
    frequency = zipf(spec.brands.count, spec.brands.exponent, spec.brands.shift)
    by_brand = rng.standard_normal(len(luxury))
    for segment in (luxury, ~luxury):
        by_brand[segment] = _standard(by_brand[segment], frequency[segment])
    by_category = _standard(rng.standard_normal(len(GARMENTS)), np.array([g.share for g in GARMENTS]))
    scores = np.array([CONDITION_SCORES[word] for word in spec.conditions])
    by_condition = _standard(scores, np.array(list(spec.conditions.values())))
    own = rng.standard_normal(len(brand))
    deviate = np.sqrt(_BY_BRAND) * by_brand[brand] + np.sqrt(_BY_CONDITION) * by_condition[condition]
    deviate += np.sqrt(1 - _BY_BRAND - _BY_CATEGORY - _BY_CONDITION) * own
    usual = np.sqrt(_BY_CATEGORY) * by_category[category]
    dear = luxury[brand]
    mean, spread = (_pick(dear, spec.prices.luxury, spec.prices.mass, name) for name in ("ln_mean", "ln_sd"))
    price = np.maximum(np.round(2 * np.exp(mean + spread * (usual + deviate))) / 2, 0.5)
    return price, (np.log(price) - spread * usual).astype(np.float32)


def _pick(dear: npt.NDArray[np.bool_], luxury: LogNormal, mass: LogNormal, name: str) -> Floats:
    return np.asarray(np.where(dear, getattr(luxury, name), getattr(mass, name)))


def _standard(values: Floats, shares: Floats) -> Floats:
    """Shifted and scaled to mean 0 and variance 1 under the shares; zeros where there is nothing to scale."""
    if not len(values):
        return values
    mean = np.average(values, weights=shares)
    spread = np.sqrt(np.average((values - mean) ** 2, weights=shares))
    return np.asarray((values - mean) / spread if spread > 0 else np.zeros_like(values))
