"""Vectors of texts by their words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from models.features.features import Float32
from models.features.texts import hashed
from models.features.texts.hashed import BUCKETS, HashedText, bucket, fit_hashed, main_directions
from models.features.texts.words import words

ADJECTIVES = ("wool", "silk", "linen", "denim", "leather", "rain", "summer", "winter")
NOUNS = ("coat", "dress", "shirt", "boots", "scarf", "hat")


def texts(rows: int = 300, seed: int = 0) -> list[str]:
    generator = np.random.default_rng(seed)
    return [
        " ".join([*generator.choice(ADJECTIVES, 3), str(generator.choice(NOUNS)), f"code{row % 17}"])
        for row in range(rows)
    ]


def plainly(text: HashedText, one: str) -> Float32:
    """The vector of one text, word by word."""
    total, squares = np.zeros(text.dim), 0.0
    for number in {bucket(word) for word in words(one)}:
        place = np.flatnonzero(text.buckets == number)
        if len(place):
            total += text.matrix[place[0]]
            squares += float(text.squares[place[0]])
    return (total / np.sqrt(squares) if squares else total).astype(np.float32)


def test_texts_are_encoded_as_word_by_word_alone_and_together() -> None:
    fitted = fit_hashed(texts(), 8, 0)
    asked = [*texts(50, 1), "", "unheard words", "wool wool WOOL unheard coat", "--"]
    expected = np.array([plainly(fitted, text) for text in asked])
    np.testing.assert_allclose(fitted.encode(asked), expected, atol=1e-5)
    np.testing.assert_allclose(np.concatenate([fitted.encode([text]) for text in asked]), expected, atol=1e-5)
    assert not expected[50:52].any()
    assert expected[52].any()
    assert fitted.encode([]).shape == (0, 8)


def test_many_texts_are_encoded_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = fit_hashed(texts(), 8, 0)
    whole = fitted.encode(texts(100, 1))
    monkeypatch.setattr(hashed, "_CHUNK", 7)
    np.testing.assert_array_equal(fitted.encode(texts(100, 1)), whole)


def test_each_direction_has_a_mean_square_of_1_over_the_catalogue() -> None:
    fitted = fit_hashed([*texts(), "", ""], 12, 0)
    np.testing.assert_allclose(np.square(fitted.encode(texts())).mean(axis=0), 1, rtol=1e-3)


def test_the_directions_are_those_of_the_singular_value_decomposition() -> None:
    generator = np.random.default_rng(0)
    spectrum = 0.7 ** np.arange(40)
    left, right = (np.linalg.qr(generator.standard_normal((size, 40)))[0] for size in (200, 90))
    table = (left * spectrum) @ right.T
    found = main_directions(sparse.csr_array(table.astype(np.float32)), 6, generator)
    _, singular, exact = np.linalg.svd(table, full_matrices=False)
    expected = exact[:6] / (singular[:6, None] / np.sqrt(200))
    expected *= np.sign(expected[np.arange(6), np.abs(expected).argmax(axis=1)])[:, None]
    np.testing.assert_allclose(found, expected.T, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_the_same_directions() -> None:
    first, again, other = (fit_hashed(texts(), 6, seed) for seed in (0, 0, 1))
    assert first.matrix.tobytes() == again.matrix.tobytes()
    np.testing.assert_allclose(first.encode(texts()), other.encode(texts()), atol=0.05)


def test_the_directions_of_many_texts_are_fitted_on_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit_hashed(texts(2000), 4, 0)
    monkeypatch.setattr(hashed, "_SAMPLE", 1000)
    part = fit_hashed(texts(2000), 4, 0)
    np.testing.assert_array_equal(part.squares, whole.squares)  # weights are of all texts
    alike = np.abs(np.sum(part.encode(texts()) * whole.encode(texts()), axis=0) / len(texts()))
    assert not np.array_equal(part.matrix, whole.matrix)
    assert alike[0] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("few", "dim"),
    [(["one coat"], 1), (["one coat"] * 9, 1), (["a", "b", "c"], 3), ([""], 0), (["", "--"], 0)],
)
def test_there_are_no_more_directions_than_the_texts_have(few: list[str], dim: int) -> None:
    fitted = fit_hashed(few, 256, 0)
    encoded = fitted.encode(few)
    assert fitted.dim == dim
    assert np.isfinite(encoded).all()
    if dim:
        assert np.square(encoded).mean() == pytest.approx(1, rel=1e-3)


def test_the_bucket_of_a_word_is_the_same_in_every_process() -> None:
    code = "from models.features.texts.hashed import bucket; print([bucket(w) for w in (b'coat', b'dress')])"
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[4],
        )
        assert done.stdout.strip() == str([bucket(b"coat"), bucket(b"dress")])
    assert 0 <= bucket(b"coat") < BUCKETS
