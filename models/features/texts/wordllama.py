"""Text as the mean of WordLlama's vectors of tokens: 256-d, learnt by others from other texts."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from harness.errors import ConfigurationError
from models.features.features import Float32
from models.features.texts.remembered import Remembered

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_CHUNK = 1024  # texts encoded at a time, which bounds the memory beside the result


@dataclass(frozen=True, slots=True)
class _Model:
    """tokens_of: the tokens of a word. vectors: float32[tokens, 256]. digest: of the vectors."""

    tokens_of: Remembered[str, list[int]]
    vectors: Float32
    digest: str


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
        vectors, found = _means(_model(), texts)
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
        if text.digest != _model().digest:
            raise ConfigurationError(
                f"the model reads text with the vectors of wordllama {text.release}, those of the installed "
                f"{version('wordllama')} are others; install the former or train again"
            )
        return text


def fit_wordllama(texts: Sequence[str]) -> WordLlamaText:
    """Centre and scale from a catalogue's texts; "" is no text. Raises ConfigurationError where it is missing."""
    model = _model()
    vectors, found = _means(model, texts)
    vectors = vectors[found]
    centre = (
        vectors.mean(axis=0, dtype=np.float64).astype(np.float32) if len(vectors) else vectors.sum(axis=0)
    )
    vectors -= centre
    mean_square = float(np.mean(np.square(vectors), dtype=np.float64)) if len(vectors) else 0.0
    scale = 1 / float(np.sqrt(mean_square)) if mean_square > 1e-12 else 1.0  # else texts are all the same
    return WordLlamaText(centre, scale, model.digest, version("wordllama"))


def _means(model: _Model, texts: Sequence[str]) -> tuple[Float32, npt.NDArray[np.bool_]]:
    """Each text's mean of vectors, float32[n, 256], and which texts have any token."""
    vectors = np.zeros((len(texts), model.vectors.shape[1]), np.float32)
    found = np.zeros(len(texts), np.bool_)
    for first in range(0, len(texts), _CHUNK):
        part = [_readable(text).split() for text in texts[first : first + _CHUNK]]
        tokens = [list(chain.from_iterable(map(model.tokens_of.__getitem__, words))) for words in part]
        lengths = np.array([len(one) for one in tokens])
        starts = np.concatenate([[0], np.cumsum(lengths)])
        shares = np.repeat((1 / np.maximum(lengths, 1)).astype(np.float32), lengths)
        flat = np.fromiter(chain.from_iterable(tokens), np.int32, int(starts[-1]))
        bags = sparse.csr_array((shares, flat, starts), shape=(len(part), len(model.vectors)))
        vectors[first : first + _CHUNK] = bags @ model.vectors
        found[first : first + _CHUNK] = lengths > 0
    return vectors, found


def _readable(text: str) -> str:
    """Without halves of surrogate pairs, which the tokenizer refuses."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


@contextmanager
def _logging_left_alone() -> Iterator[None]:
    """The package sets up logging for the whole process when it is imported: every library would tell its steps."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


@cache
def _model() -> _Model:
    """The model inside the package, read once a process and never downloaded."""
    try:
        with _logging_left_alone():
            import wordllama
            from wordllama import WordLlama
    except ImportError as error:
        raise ConfigurationError(
            f"text: wordllama cannot be imported ({error}). Install it with: pip install 'bakeoff[models]'"
        ) from error
    try:
        loaded = WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    except (FileNotFoundError, ValueError) as error:
        raise ConfigurationError(
            f"text: wordllama {version('wordllama')} lacks its vectors ({error}). "
            "Install it with: pip install 'bakeoff[models]'"
        ) from error
    loaded.tokenizer.no_padding()
    vectors = np.ascontiguousarray(loaded.embedding, np.float32)
    tokens_of = Remembered(lambda word: _tokens(loaded.tokenizer, word))
    return _Model(tokens_of, vectors, hashlib.sha256(vectors.tobytes()).hexdigest())


def _tokens(tokenizer: Tokenizer, word: str) -> list[int]:
    """Of a word with the space before it. No token reaches over a space, so that words can be looked at one by one."""
    tokens: list[int] = tokenizer.encode(word, add_special_tokens=False).ids
    return tokens
