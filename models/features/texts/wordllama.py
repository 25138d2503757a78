"""Text as the mean of WordLlama's vectors of tokens, centred and scaled by what a catalogue's texts are on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from harness.data.texts.wordllama import token_vectors
from harness.errors import ConfigurationError
from models.features.features import Float32


@dataclass(frozen=True, slots=True)
class WordLlamaText:
    """Vectors of texts as (mean of their tokens' vectors - centre) * scale.

    centre: float32[256], what the catalogue's texts are on average. digest: of the vectors of tokens, which are not
    saved with a model but come with the package. release: of the package.
    """

    centre: Float32
    scale: float
    digest: str
    release: str
    kind: Literal["wordllama"] = field(default="wordllama", init=False)

    @property
    def dim(self) -> int:
        """How long a vector is."""
        return len(self.centre)

    def encode(self, texts: Sequence[str]) -> Float32:
        """float32[n, dim]; zeros where there is no text."""
        vectors, found = token_vectors().means(texts)
        vectors -= self.centre
        vectors *= np.float32(self.scale)
        vectors[~found] = 0
        return vectors

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """For `of_state`."""
        values = {"scale": self.scale, "digest": self.digest, "release": self.release}
        return values, {"centre": self.centre}

    @classmethod
    def of_state(cls, values: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> WordLlamaText:
        """Raises KeyError where the state is none, ConfigurationError where the package has other vectors."""
        text = cls(arrays["centre"], values["scale"], values["digest"], values["release"])
        if text.digest != token_vectors().digest:
            raise ConfigurationError(
                f"the model reads text with the vectors of wordllama {text.release}, those of the installed "
                f"{token_vectors().release} are others; install the former or train again"
            )
        return text


def fit_wordllama(texts: Sequence[str]) -> WordLlamaText:
    """Centre and scale from a catalogue's texts; "" is no text. Raises ConfigurationError where it is missing."""
    model = token_vectors()
    vectors, found = model.means(texts)
    vectors = vectors[found]
    centre = (
        vectors.mean(axis=0, dtype=np.float64).astype(np.float32) if len(vectors) else vectors.sum(axis=0)
    )
    vectors -= centre
    mean_square = float(np.mean(np.square(vectors), dtype=np.float64)) if len(vectors) else 0.0
    scale = 1 / float(np.sqrt(mean_square)) if mean_square > 1e-12 else 1.0  # else texts are all the same
    return WordLlamaText(centre, scale, model.digest, model.release)
