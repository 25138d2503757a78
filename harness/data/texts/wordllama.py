"""Text as the mean of WordLlama's vectors of tokens: 256-d, learnt by others from other texts."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import sparse

from harness.data.identity import ModelIdentity
from harness.data.texts.remembered import Remembered
from harness.errors import ConfigurationError
from harness.progress import Progress, silent

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_CHUNK = 1024  # texts encoded at a time, which bounds the memory beside the result


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """tokens_of: the tokens of a word. vectors: float32[tokens, 256]. digest: of these. release: of the package."""

    tokens_of: Remembered[str, list[int]]
    vectors: npt.NDArray[np.float32]
    digest: str
    release: str

    @property
    def dim(self) -> int:
        """How long a vector is."""
        return int(self.vectors.shape[1])

    @property
    def identity(self) -> ModelIdentity:
        """It as the model of a dataset."""
        return ModelIdentity("wordllama", self.release, self.digest)

    def means(
        self, texts: Sequence[str], progress: Progress = silent
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Each text's mean of vectors, float32[n, 256], and which texts have any token, bool[n]; zeros where not."""
        vectors = np.zeros((len(texts), self.dim), np.float32)
        found = np.zeros(len(texts), np.bool_)
        for first in range(0, len(texts), _CHUNK):
            part = [_readable(text).split() for text in texts[first : first + _CHUNK]]
            tokens = [list(chain.from_iterable(map(self.tokens_of.__getitem__, words))) for words in part]
            lengths = np.array([len(one) for one in tokens])
            starts = np.concatenate([[0], np.cumsum(lengths)])
            shares = np.repeat((1 / np.maximum(lengths, 1)).astype(np.float32), lengths)
            flat = np.fromiter(chain.from_iterable(tokens), np.int32, int(starts[-1]))
            bags = sparse.csr_array((shares, flat, starts), shape=(len(part), len(self.vectors)))
            vectors[first : first + _CHUNK] = bags @ self.vectors
            found[first : first + _CHUNK] = lengths > 0
            progress("embed texts", first + len(part), len(texts))
        return vectors, found


@cache
def token_vectors() -> TokenVectors:
    """The model inside the package, read once a process and never downloaded. Raises ConfigurationError."""
    try:
        with _logging_left_alone():
            import wordllama
            from wordllama import WordLlama
    except ImportError as error:
        raise ConfigurationError(
            f"wordllama, which makes vectors of texts, cannot be imported ({error}). "
            "Install it with: pip install 'bakeoff[text]'"
        ) from error
    try:
        loaded = WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    except (FileNotFoundError, ValueError) as error:
        raise ConfigurationError(
            f"wordllama {version('wordllama')} lacks its vectors ({error}). "
            "Install it with: pip install 'bakeoff[text]'"
        ) from error
    loaded.tokenizer.no_padding()
    vectors = np.ascontiguousarray(loaded.embedding, np.float32)
    tokens_of = Remembered(lambda word: _tokens(loaded.tokenizer, word))
    digest = hashlib.sha256(vectors.tobytes()).hexdigest()
    return TokenVectors(tokens_of, vectors, digest, version("wordllama"))


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


def _tokens(tokenizer: Tokenizer, word: str) -> list[int]:
    """Of a word with the space before it. No token reaches over a space, so that words can be looked at one by one."""
    tokens: list[int] = tokenizer.encode(word, add_special_tokens=False).ids
    return tokens
