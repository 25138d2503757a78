"""Texts as vectors: what every kind offers, and the kinds by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, get_args

import numpy as np
import numpy.typing as npt

from models.features.features import Float32
from models.features.options import TextKind
from models.features.texts.hashed import HashedText, fit_hashed
from models.features.texts.wordllama import WordLlamaText, fit_wordllama

TEXT_KINDS: tuple[TextKind, ...] = get_args(TextKind)


class TextVectors(Protocol):
    """Vectors of texts; over the catalogue that they were fitted on, their entries have a mean square of 1."""

    @property
    def kind(self) -> TextKind:
        """Its name in `fit_text` and in files."""
        ...

    @property
    def dim(self) -> int:
        """How long a vector is."""
        ...

    def encode(self, texts: Sequence[str]) -> Float32:
        """float32[n, dim], finite; zeros where there is no text or no word in it is known."""
        ...

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """What it is made of: values for JSON, and arrays by name."""
        ...


class NoText:
    """Vectors of length 0: the model does not read text."""

    kind: TextKind = "none"
    dim = 0

    def encode(self, texts: Sequence[str]) -> Float32:
        """float32[n, 0]."""
        return np.zeros((len(texts), 0), np.float32)

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """Nothing."""
        return {}, {}


def fit_text(kind: TextKind, texts: Sequence[str], dim: int, seed: int) -> TextVectors:
    """Vectors of a kind, fitted on a catalogue's texts ("" where there is none).

    dim: how long the vectors of "hashed" are; they are shorter where the texts have fewer directions. Raises
    ConfigurationError where what the kind needs is not installed.
    """
    if not any(texts) or kind == "none":
        return NoText()
    return fit_hashed(texts, dim, seed) if kind == "hashed" else fit_wordllama(texts)


def text_of_state(
    kind: str, values: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]
) -> TextVectors:
    """What `state` described. Raises KeyError and ValueError where it is none, and what `fit_text` raises."""
    match kind:
        case "none":
            return NoText()
        case "hashed":
            return HashedText.of_state(arrays)
        case "wordllama":
            return WordLlamaText.of_state(values, arrays)
    raise ValueError(f"text of kind '{kind}' is none of {', '.join(TEXT_KINDS)}")
