"""A trained model in a folder."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.errors import ConfigurationError
from models.data.interactions import ItemLists
from models.encoding.encoder import Encoder
from models.features import files
from models.features.encoder import FeatureEncoder
from models.features.stored import read_arrays, write_arrays
from tests.unit.models.encoding.made import DIM, encoder, weights
from tests.unit.models.features.catalogues import catalogue, taken


def test_what_is_loaded_encodes_as_what_was_saved(tmp_path: Path) -> None:
    model = encoder()
    model.save(tmp_path / "model")
    loaded = Encoder.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.listings(catalogue()).vectors, model.listings(catalogue()).vectors)
    assert loaded.content_hash() == model.content_hash()
    assert encoder(weight=0.5).content_hash() != model.content_hash()


def test_nothing_of_jax_is_needed(tmp_path: Path) -> None:
    encoder().save(tmp_path)
    code = (
        "import sys; from pathlib import Path; from models.encoding.encoder import Encoder;"
        "Encoder.load(Path(sys.argv[1])); print([name for name in ('jax', 'flax', 'optax') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[4],
    )
    assert done.stdout.strip() == "[]"


def test_listings_come_with_what_could_not_be_used() -> None:
    encoded = encoder().listings(catalogue())
    assert encoded.vectors.shape == (60, DIM)
    np.testing.assert_allclose(np.linalg.norm(encoded.vectors, axis=1), 1, atol=1e-5)
    assert encoded.missing["price"] > 0
    assert (encoded.ids == 0).tolist() == (taken() == 0).tolist()


def test_a_user_of_preferences_alone_has_a_vector_near_what_they_prefer() -> None:
    model = encoder()
    declared = model.preferences([{"size": "M", "colour": ["red", "blue"]}, {}, {"colour": "puce"}])
    users = model.user.many(
        model.listings(catalogue()).vectors, ItemLists.of([[], [], []]), declared=declared
    )
    said = model.features.preferences([{"size": "M", "colour": ["red", "blue"]}])
    np.testing.assert_allclose(declared.vectors, model.listing.vectors(said.features), atol=1e-6)
    assert declared.starts.tolist() == [0, 2, 2, 2]
    assert declared.unknown == {"colour": 1}
    assert not np.allclose(users[0], users[1], atol=1e-2)
    np.testing.assert_allclose(users[1], users[2], atol=1e-6)
    np.testing.assert_allclose(users[0], model.user.one(users[:0], declared=declared.vectors), atol=1e-6)


@pytest.mark.parametrize("weight", [0.4, 0.0])
def test_an_index_ranks_by_the_scores(weight: float) -> None:
    model = encoder(weight)
    listings = model.listings(catalogue())
    users = model.user.many(listings.vectors, ItemLists.of([[1, 2], [3], []]))
    index, queries = model.indexed(listings.vectors, listings.ids), model.queries(users)
    assert index.shape[1] == queries.shape[1] == (DIM + 2 if weight else DIM)
    scores = model.scores(users, listings.vectors, listings.ids)
    ranked = np.take_along_axis(scores, np.argsort(-(queries @ index.T)), axis=1)
    assert (np.diff(ranked) <= 1e-5).all()
    popular = model.weights.popularity[listings.ids]
    np.testing.assert_allclose(scores, users @ listings.vectors.T + weight * popular, atol=1e-6)


def test_towers_of_another_model_are_refused(tmp_path: Path) -> None:
    model = encoder()
    model.save(tmp_path)
    other = FeatureEncoder.fit(catalogue(), taken() * 0, model.features.options)
    files.save(other, tmp_path)
    with pytest.raises(
        ConfigurationError, match=r"towers\.npz is for Sizes\(ids=46, .* copy both from the same model"
    ):
        Encoder.load(tmp_path)
    with pytest.raises(ConfigurationError, match="is for Sizes"):
        Encoder(other, weights(model.features.sizes))


def test_damaged_towers_are_named(tmp_path: Path) -> None:
    encoder().save(tmp_path)
    arrays = read_arrays(tmp_path / "towers.npz")
    write_arrays(tmp_path / "towers.npz", arrays | {"user.empty": np.full(DIM, np.nan, np.float32)})
    with pytest.raises(
        ConfigurationError, match=r"towers\.npz: holds no towers: array 'user\.empty' holds values"
    ):
        Encoder.load(tmp_path)
    (tmp_path / "towers.npz").unlink()
    with pytest.raises(ConfigurationError, match=r"towers\.npz: cannot be read"):
        Encoder.load(tmp_path)


def test_a_listing_that_nobody_took_is_encoded_by_its_features_alone() -> None:
    model, items = encoder(), catalogue()
    renamed = replace(items, ids=np.array([f"new-{row}" for row in range(60)], object))
    known, new = model.listings(items), model.listings(renamed)
    never = taken() == 0
    np.testing.assert_array_equal(new.vectors[never], known.vectors[never])
    assert (np.abs(new.vectors[~never] - known.vectors[~never]).max(axis=1) > 1e-3).all()
