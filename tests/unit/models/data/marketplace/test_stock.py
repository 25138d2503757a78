"""Listings: the stated frequencies within sampling error, and what follows the style."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from harness.data.shipped.correlation import zipf
from models.data.marketplace.figures import GARMENTS, MATERIALS, STYLES, UNKNOWN_MATERIAL, measured
from models.data.marketplace.options import MarketplaceOptions
from models.data.marketplace.sizes import Sizes, sizes_of
from models.data.marketplace.stock import DAY_MS, MATERIAL_WORDS, Stock, _brands, make_stock

SPEC = measured()


def made(**options: object) -> tuple[Stock, Sizes, MarketplaceOptions]:
    asked = MarketplaceOptions.model_validate({"listings": 40_000, **options})
    sizes = sizes_of(SPEC.sizes)
    return make_stock(asked, SPEC, sizes), sizes, asked


@pytest.fixture(scope="module")
def stock() -> Stock:
    return made()[0]


def agreement(codes: np.ndarray, shares: Sequence[float] | np.ndarray) -> float:
    """The p-value of the chi-squared test that `codes` occur with these shares."""
    expected = np.asarray(shares, float) / np.sum(shares)
    counts = np.bincount(codes, minlength=len(expected))
    return float(stats.chisquare(counts, expected * len(codes)).pvalue)


def test_frequencies_are_the_stated_ones(stock: Stock) -> None:
    stated = {
        "brand": zipf(1072, 0.90, SPEC.brands.shift),
        "category": [garment.share for garment in GARMENTS],
        "condition": [46.2, 32.6, 11.5, 7.9, 1.8],
        "colour": list(SPEC.colours.values()),
        "style": zipf(len(STYLES), 0.5),
    }
    assert list(SPEC.conditions.values()) == stated["condition"]
    for name, shares in stated.items():
        assert agreement(getattr(stock, name), shares) > 1e-3, name
        # The same test notices a steeper fall.
        assert agreement(getattr(stock, name), np.array(shares, float) ** 1.1) < 1e-3, name


def test_the_top_ten_brands_hold_a_fifth(stock: Stock) -> None:
    assert np.mean(stock.brand < 10) == pytest.approx(0.20, abs=0.01)
    assert len(set(stock.brands)) == 1072


def test_sizes_follow_the_kind_of_garment() -> None:
    stock, sizes, _ = made()
    for kind in ("clothes", "shoes", "none"):
        codes = sizes.codes(kind)
        rows = np.isin(stock.category, [row for row, garment in enumerate(GARMENTS) if garment.sizes == kind])
        assert set(stock.size[rows].tolist()) <= set(codes.tolist())
        if len(codes) > 1:
            assert agreement(stock.size[rows] - codes[0], sizes.supply[codes]) > 1e-3


def test_prices_are_log_normal_by_segment(stock: Stock) -> None:
    dear = stock.luxury[stock.brand]
    for rows, mean, deviation in ((~dear, 3.31, 0.55), (dear, 5.53, 0.94)):
        logs = np.log(stock.price[rows])
        assert logs.mean() == pytest.approx(mean, abs=4 * deviation / np.sqrt(len(logs)) + 0.005)
        assert logs.std() == pytest.approx(deviation, rel=0.06)
        assert abs(stats.skew(logs)) < 0.25
    assert not np.any(2 * stock.price % 1)


def test_prices_follow_brand_category_and_condition(stock: Stock) -> None:
    logs = np.log(stock.price)
    mass = ~stock.luxury[stock.brand]
    for name, share in (("brand", 0.35), ("category", 0.25), ("condition", 0.1)):
        groups = getattr(stock, name)[mass]
        sums, counts = np.bincount(groups, logs[mass]), np.bincount(groups)
        means = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
        explained = means[groups].var() / logs[mass].var()
        assert explained == pytest.approx(share, abs=0.06), name


def test_materials_go_with_the_garment(stock: Stock) -> None:
    for row, garment in enumerate(GARMENTS):
        told = stock.material[stock.category == row]
        assert {MATERIAL_WORDS[code] for code in told[told >= 0]} <= set(MATERIALS[garment.made_of])
    assert np.mean(stock.material < 0) == pytest.approx(UNKNOWN_MATERIAL, abs=0.01)


def follows(stock: Stock, name: str) -> float:
    """Cramer's V of an attribute and the style: 0 where independent, 1 where one gives the other."""
    table = np.zeros((len(STYLES), 1 + int(getattr(stock, name).max())))
    np.add.at(table, (stock.style, getattr(stock, name)), 1)
    table = table[:, table.sum(axis=0) > 100]
    table = table[table.sum(axis=1) > 0]
    return float(stats.contingency.association(table.astype(int), correction=True))


def test_brand_and_colour_follow_the_style_as_asked() -> None:
    for name in ("brand", "colour"):
        strength = [follows(made(correlation=dial)[0], name) for dial in (0.0, 0.5, 1.0)]
        assert strength[0] < 0.08, name
        assert 0.15 < strength[1] < strength[2], name


def test_a_brand_leans_to_the_styles_of_its_listings() -> None:
    shares = zipf(len(STYLES), 0.5)
    style = np.random.default_rng(0).choice(len(STYLES), 40_000, p=shares).astype(np.int32)
    brand, divided = _brands(MarketplaceOptions(correlation=0.7), SPEC, style, shares)
    np.testing.assert_allclose(divided.sum(axis=1), 1)
    for code in range(20):
        counts = np.bincount(style[brand == code], minlength=len(STYLES))
        expected = 0.7 * divided[code] + 0.3 * shares
        assert stats.chisquare(counts, counts.sum() * expected).pvalue > 1e-4
        # Not those of another brand.
        other = 0.7 * divided[code + 100] + 0.3 * shares
        assert stats.chisquare(counts, counts.sum() * other).pvalue < 1e-4 or np.allclose(other, expected)


def test_places_are_near_those_of_the_style_and_of_the_brand(stock: Stock) -> None:
    np.testing.assert_allclose(np.linalg.norm(stock.latents, axis=1), 1, atol=1e-5)
    own = (stock.latents * stock.styles[stock.style]).sum(axis=1)
    other = (stock.latents * stock.styles[np.roll(stock.style, 1)]).sum(axis=1)
    assert own.mean() > other.mean() + 0.4
    same_style = stock.style[:-1] == stock.style[1:]
    alike = np.einsum("nd,nd->n", stock.latents[:-1], stock.latents[1:])
    assert alike[same_style].mean() > alike[~same_style].mean() + 0.3


def test_new_listings_keep_arriving() -> None:
    stock, _, options = made(days=10, days_before=5)
    day = (stock.listed_ms - options.start_ms) // DAY_MS
    assert np.all(np.diff(stock.listed_ms) >= 0)
    assert agreement(day + 5, np.ones(15)) > 1e-3
