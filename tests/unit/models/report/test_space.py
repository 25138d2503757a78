"""The picture: principal components, the column that separates best, groups, size."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from models.data.items import Categories, Items
from models.report.space import MOST, most_telling, picture, projected, sampled, separation
from tests.unit.models.publishing.shop import objects

RNG = np.random.default_rng(0)


def test_components_are_those_of_the_covariance() -> None:
    vectors = (RNG.standard_normal((200, 5)) * [5, 3, 1, 1, 1] + 7).astype(np.float32)
    points, shares = projected(vectors)
    spread = np.sort(np.linalg.eigvalsh(np.cov(vectors.T.astype(np.float64))))[::-1]
    np.testing.assert_allclose(shares, spread[:2] / spread.sum(), rtol=1e-6)
    np.testing.assert_allclose(points.var(axis=0, ddof=1), spread[:2], rtol=1e-6)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 4), (2, 4), (5, 1)])
def test_few_vectors_or_dimensions_are_points_all_the_same(shape: tuple[int, int]) -> None:
    points, shares = projected(RNG.standard_normal(shape).astype(np.float32))
    assert points.shape == (shape[0], 2)
    assert np.isfinite(points).all()
    assert shares.sum() == pytest.approx(1.0 if shape[0] > 1 else 0.0)


def test_separation_is_the_share_between_groups() -> None:
    vectors = np.array([[0.0, 1], [0, -1], [4, 1], [4, -1]], np.float32)
    assert separation(vectors, Categories.encode(["a", "a", "b", "b"])) == pytest.approx(0.8)
    assert separation(vectors, Categories.encode(["a", None, "a", None])) == pytest.approx(0.2)
    assert separation(vectors, Categories.encode(["a"] * 4)) == pytest.approx(0.0)
    assert separation(vectors[:1], Categories.encode(["a"])) == 0


def test_the_column_that_separates_best_is_taken_but_none_of_ids() -> None:
    columns = {
        "one": Categories.encode(["x"] * 30),
        "weak": Categories.encode([str(row % 2) for row in range(30)]),
        "strong": Categories.encode([str(row % 3) for row in range(30)]),
        "ids": Categories.encode([str(row) for row in range(30)]),
    }
    explained = {"one": 0.0, "weak": 0.1, "strong": 0.4, "ids": 0.9}
    assert most_telling(columns, explained) == "strong"
    assert most_telling({"ids": columns["ids"]}, explained) == "ids"
    assert most_telling({"one": columns["one"]}, explained) is None


def catalogue(count: int, kinds: int = 12) -> tuple[np.ndarray, Items]:
    """Kinds that are apart in space, the first of them frequent; every tenth has none."""
    kind = np.minimum(np.arange(count) % 31, kinds - 1)
    middle = np.random.default_rng(1).standard_normal((kinds, 8)) * 4
    vectors = (middle[kind] + np.random.default_rng(2).standard_normal((count, 8))).astype(np.float32)
    words = [None if row % 10 == 9 else f"kind {kind[row]:02}" for row in range(count)]
    return vectors, Items(objects(list(range(count))), {"kind": Categories.encode(words)})


def test_the_most_frequent_words_have_colours_and_the_others_share_one() -> None:
    vectors, items = catalogue(600)
    found = picture(vectors, items)
    names = [name for name, _, _ in found.legend]
    assert len(names) == 10
    assert names[-2:] == ["others", "without a value"]
    assert len({colour for _, colour, _ in found.legend}) == 9
    assert sum(count for _, _, count in found.legend) == 600
    assert "Coloured by \u201ckind\u201d" in found.caption
    dots = re.findall(r"M[-\d.]+ [-\d.]+h0", found.svg)
    assert len(dots) == 600
    places = np.array([[float(part) for part in dot[1:-2].split()] for dot in dots])
    assert (places.min(axis=0) >= 0).all()
    assert (places.max(axis=0) <= [720, 470]).all()
    assert found.svg.count("<text") == 8


def test_words_are_text_in_the_picture() -> None:
    vectors, items = catalogue(600)
    kind = items.categories["kind"]
    hostile = Categories(kind.codes, tuple(f"<b>\u202e&{word}" for word in kind.words))
    found = picture(vectors, replace(items, categories={"<i>": hostile}))
    for mark in ("<b>", "<i>", "\u202e"):
        assert mark not in found.svg
    assert "&lt;b&gt;\\u202e&amp;kind" in found.svg


def test_groups_that_lie_over_one_another_have_no_names_in_the_picture() -> None:
    vectors, items = catalogue(600)
    found = picture(np.random.default_rng(3).standard_normal(vectors.shape).astype(np.float32), items)
    assert "<text" not in found.svg
    assert "lie over one another" in found.caption
    assert "lie over" not in picture(vectors, items).caption


def test_of_many_listings_a_sample_is_drawn_the_same_each_time() -> None:
    vectors, items = catalogue(MOST + 500)
    found = picture(vectors, items)
    assert found == picture(vectors, items)
    assert found.svg.count("h0") == MOST
    assert len(found.svg) < 100_000
    assert f"3,000 of {MOST + 500:,} listings, drawn at random" in found.caption
    assert len(set(sampled(MOST + 500, 0).tolist())) == MOST
    assert (sampled(MOST + 500, 0) != sampled(MOST + 500, 1)).any()
