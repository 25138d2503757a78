"""Vectors of one model at several dimensions, and the answers by them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.data.interactions import ItemLists
from models.data.split import Cases
from models.dimensions.quality import quality
from models.dimensions.variants import Shortened
from models.encoding.scalar import Scale, rounded
from models.evaluation.cells import Plan
from models.evaluation.nearest import answers
from models.evaluation.popularity import Popularity
from models.evaluation.recommender import places
from models.features.features import Float32


def test_at_its_own_dimension_the_model_s_vectors_stay_and_answer_as_the_model_does(
    shortened: Shortened,
) -> None:
    material = shortened.material
    own = material.model.encoder.indexed(material.nearest.listings, material.ids)
    np.testing.assert_array_equal(shortened.listings(shortened.dim), own)
    found = shortened.found(shortened.dim, "float32")
    for name, cases in material.cases.items():
        expected = places(material.nearest.recommend(cases, 50), cases.targets)
        assert (found[name] == expected).mean() > 0.99  # rounding may change places of near ties
        assert ((found[name] >= 0) == (expected >= 0)).mean() > 0.99


@pytest.mark.parametrize("dim", [2, 5])
def test_a_shorter_index_ranks_by_shorter_vectors_and_popularity(shortened: Shortened, dim: int) -> None:
    material = shortened.material
    cases = material.cases["validation"]
    listings, queries = shortened.listings(dim), shortened.queries(cases, dim)
    assert listings.shape == (600, dim + 2) == (600, shortened.width(dim))
    assert queries.shape == (len(cases), dim + 2)
    np.testing.assert_allclose(np.linalg.norm(listings, axis=1), 1, atol=1e-6)
    whole = shortened.listings(shortened.dim)
    np.testing.assert_allclose(listings[:, -2:], whole[:, -2:], atol=1e-6)  # popularity and padding


def test_every_dimension_is_another_model(shortened: Shortened) -> None:
    own = shortened.material.model.identity
    assert shortened.identity(shortened.dim) == own
    two, five = shortened.identity(2), shortened.identity(5)
    assert (two.name, two.version) == (own.name, "1-2d")
    assert len({own.hash, two.hash, five.hash}) == 3
    other = replace(shortened, material=replace(shortened.material, data="0" * 64))
    assert other.identity(2).hash != two.hash


def test_fewer_dimensions_keep_less(shortened: Shortened) -> None:
    assert len(shortened.kept) == shortened.dim == 8
    assert (np.diff(shortened.kept) > 0).all()


COUNT, TAKERS, DIM = 400, 300, 16


def found_by(listings: Float32, queries: Float32, cases: Cases) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    popularity = Popularity.of(np.arange(COUNT, dtype=np.int64), COUNT)
    return places(answers(queries, listings, cases, popularity, 10), cases.targets)


def test_a_scale_that_is_too_small_is_seen_in_the_figures() -> None:
    """Rounding as it is costs next to nothing here; with a fifth of the step most values are at the scale's end."""
    rng = np.random.default_rng(0)
    listings, queries = (
        rows / np.linalg.norm(rows, axis=1, keepdims=True)
        for rows in (rng.standard_normal((n, DIM)).astype(np.float32) for n in (COUNT, TAKERS))
    )
    nobody = ItemLists.of([[]] * TAKERS)
    wanted = ItemLists.of([[int(row)] for row in np.argsort(-(queries @ listings.T), axis=1)[:, 4]])
    cases = Cases(np.arange(TAKERS, dtype=np.int32), nobody, wanted)
    full = found_by(listings, queries, cases)
    assert (full == 4).all()
    scale = Scale.of(listings)
    saturated = Scale(scale.low, scale.step / 5)
    lost = []
    for chosen in (scale, saturated):
        found = found_by(rounded(listings, chosen), queries, cases)
        judged = quality(found, full, cases, Plan((10,), "full", draws=300)).hits_lost
        assert judged is not None
        lost.append(judged[10])
    assert lost[0].change == 0
    assert lost[1].low is not None
    assert lost[1].low > 0.2
