"""Vectors of texts by WordLlama's tokens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.data.texts import wordllama as room
from harness.errors import ConfigurationError
from models.features.texts.wordllama import WordLlamaText, fit_wordllama

TEXTS = ["a warm wool coat", "a light summer dress", "leather boots, hardly worn", "a rain jacket"]


@pytest.fixture
def fitted() -> WordLlamaText:
    pytest.importorskip("wordllama", reason="wordllama is not installed")
    return fit_wordllama([*TEXTS, ""])


def test_the_catalogue_is_centred_and_scaled(fitted: WordLlamaText) -> None:
    vectors = fitted.encode(TEXTS)
    assert vectors.shape == (4, 256) == (4, fitted.dim)
    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=1e-5)
    assert np.square(vectors).mean() == pytest.approx(1, rel=1e-4)


def test_before_that_they_are_those_of_the_package(fitted: WordLlamaText) -> None:
    import wordllama

    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    texts = [*TEXTS, "Größe 42, x" + "y" * 100, "毛衣 🧥 don't", "a"]
    raw = fitted.encode(texts) / fitted.scale + fitted.centre
    np.testing.assert_allclose(raw, model.embed(texts), atol=1e-5)


def test_no_text_is_zeros_and_any_text_is_finite(fitted: WordLlamaText) -> None:
    vectors = fitted.encode(["", "\ud800", "\x00", "毛衣 🧥", "x" * 5000])
    assert not vectors[0].any()
    assert np.isfinite(vectors).all()
    assert fitted.encode([]).shape == (0, 256)


def test_texts_are_encoded_in_parts_as_at_once(
    fitted: WordLlamaText, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fitted.encode(TEXTS)
    monkeypatch.setattr(room, "_CHUNK", 3)
    np.testing.assert_allclose(fitted.encode(TEXTS), whole, atol=1e-6)


@pytest.mark.parametrize("texts", [["one coat"], ["one coat"] * 3, [""]])
def test_texts_that_are_all_the_same_are_zeros(fitted: WordLlamaText, texts: list[str]) -> None:
    same = fit_wordllama(texts)
    assert same.scale == 1
    np.testing.assert_allclose(same.encode(texts), 0, atol=1e-6)


def test_it_is_what_its_state_says_and_refuses_other_vectors_of_tokens(fitted: WordLlamaText) -> None:
    values, arrays = fitted.state()
    np.testing.assert_array_equal(WordLlamaText.of_state(values, arrays).encode(TEXTS), fitted.encode(TEXTS))
    with pytest.raises(
        ConfigurationError, match=r"vectors of wordllama 0\.0\.1, those of the installed .* are others"
    ):
        WordLlamaText.of_state({**values, "digest": "0" * 64, "release": "0.0.1"}, arrays)


def test_where_it_is_not_installed_the_error_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    room.token_vectors.cache_clear()
    monkeypatch.setitem(sys.modules, "wordllama", None)
    with pytest.raises(ConfigurationError, match=r"Install it with: pip install 'bakeoff\[text\]'"):
        fit_wordllama(TEXTS)


def test_it_does_not_have_every_library_tell_its_steps() -> None:
    """In a process of its own, where the package has not been imported yet."""
    pytest.importorskip("wordllama", reason="wordllama is not installed")
    code = (
        "import logging; from models.features.texts.wordllama import fit_wordllama; fit_wordllama(['a coat', '']); "
        "logging.getLogger('other').info('a step'); logging.getLogger('other').warning('a fault')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["a fault"]
