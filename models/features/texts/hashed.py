"""Text as a weighted mean of vectors of words, which are learnt from the catalogue's own texts.

The words of a text are hashed into buckets, weighted by how rare they are (tf-idf, with a word counted once a text) and
projected on the catalogue's main directions (latent semantic analysis: Deerwester et al. 1990), each of which is then
given the same variance. Hashing bounds the table whatever the catalogue's words are; two words in one bucket are one.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from harness.data.texts.remembered import Remembered
from models.features.features import Float32
from models.features.texts.words import words

BUCKETS = 1 << 15
_SAMPLE = 50_000  # texts that the directions are fitted on; more change them little
_ROUNDS = 4  # of subspace iteration; twice as many explain 0.2 % more of H&M's variance
_SPARE = 32  # directions that are followed beside those wanted, so that the last ones are exact too
_CHUNK = 1024  # texts encoded at a time, which bounds the memory beside the result
_NO_VARIANCE = 1e-5  # of the first direction's; float32 knows no less


def _rows_of(buckets: npt.NDArray[np.int32]) -> Remembered[bytes, int]:
    """The row of each word's bucket in a matrix of these buckets and a last row, for words that are in none."""
    row = np.full(BUCKETS, len(buckets), np.int32)
    row[buckets] = np.arange(len(buckets), dtype=np.int32)
    return Remembered(lambda word: int(row[bucket(word)]))


@dataclass(frozen=True, slots=True)
class HashedText:
    """Vectors of texts by their words.

    buckets: int32[b], those that a word of the catalogue fell into, ascending. squares: float32[b + 1], the square of
    each one's weight. matrix: float32[b + 1, dim], its vector times its weight. The last row, of zeros, is that of
    every word that is in none of them.
    """

    buckets: npt.NDArray[np.int32]
    squares: Float32
    matrix: Float32
    kind: Literal["hashed"] = field(default="hashed", init=False)
    _rows: Remembered[bytes, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", _rows_of(self.buckets))

    @property
    def dim(self) -> int:
        """How long a vector is."""
        return int(self.matrix.shape[1])

    def encode(self, texts: Sequence[str]) -> Float32:
        """float32[n, dim]; zeros where no word is known."""
        if len(texts) == 1:
            return self._one(texts[0])
        parts = [self._some(texts[first : first + _CHUNK]) for first in range(0, len(texts), _CHUNK)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dim), np.float32)

    def _one(self, text: str) -> Float32:
        """As `_some`, without the sparse matrix, which takes longer to make than one text to encode."""
        rows = np.array([*set(map(self._rows.__getitem__, words(text)))], np.int32)
        vector: Float32 = np.add.reduce(self.matrix.take(rows, axis=0), keepdims=True)
        square = float(np.add.reduce(self.squares.take(rows)))
        return vector / np.float32(math.sqrt(square)) if square else vector

    def _some(self, texts: Sequence[str]) -> Float32:
        rows, starts = bags(texts, self._rows)
        ones = np.ones(len(rows), np.float32)
        found = sparse.csr_array((ones, rows, starts), shape=(len(texts), len(self.matrix)))
        norms = np.sqrt(found @ self.squares)
        vectors: Float32 = found @ self.matrix
        vectors /= np.where(norms > 0, norms, np.float32(1))[:, None]
        return vectors

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """For `of_state`."""
        return {}, {"buckets": self.buckets, "squares": self.squares, "matrix": self.matrix}

    @classmethod
    def of_state(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> HashedText:
        """Raises KeyError and ValueError where the state is not one."""
        text = cls(arrays["buckets"], arrays["squares"], arrays["matrix"])
        rows = len(text.buckets) + 1
        if text.matrix.shape != (rows, text.dim) or text.squares.shape != (rows,):
            raise ValueError("arrays of the text do not fit each other")
        return text


def bucket(word: bytes) -> int:
    """The bucket of a word, the same in every process and on every machine."""
    return zlib.crc32(word) % BUCKETS


def bags(
    texts: Sequence[str], row_of: Mapping[bytes, int]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """The distinct rows of each text's words, end to end: int32, and int64[n + 1], where those of each begin."""
    look_up = row_of.__getitem__
    found = [set(map(look_up, words(text))) for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows in found])]).astype(np.int64)
    return np.fromiter(chain.from_iterable(found), np.int32, int(starts[-1])), starts


def fit_hashed(texts: Sequence[str], dim: int, seed: int) -> HashedText:
    """Learns the vectors of words from a catalogue's texts; "" is no text.

    A word's weight is ln((1 + n) / (1 + texts that hold it)) + 1 over the n texts. The directions are fitted on at
    most 50,000 texts, drawn by `seed`. There are `dim`, or as many as the texts have. Each entry of the vectors has a
    mean square of 1 over these texts.
    """
    rows, starts = bags(texts, Remembered(bucket))
    counts = np.bincount(rows, minlength=BUCKETS)
    buckets = np.flatnonzero(counts).astype(np.int32)
    full = np.flatnonzero(np.diff(starts))
    weights = (np.log((1 + len(full)) / (1 + counts[buckets])) + 1).astype(np.float32)
    places = np.full(BUCKETS, -1, np.int32)
    places[buckets] = np.arange(len(buckets))
    rows = places[rows]
    table = sparse.csr_array((weights[rows], rows, starts), shape=(len(texts), len(buckets)))
    generator = np.random.default_rng(seed)
    if len(full) > _SAMPLE:
        full = np.sort(generator.choice(full, _SAMPLE, replace=False))
    directions = main_directions(_of_length_one(table[full]), dim, generator)
    matrix = np.zeros((len(buckets) + 1, directions.shape[1]), np.float32)
    matrix[:-1] = directions * weights[:, None]
    return HashedText(buckets, np.append(np.square(weights), np.float32(0)), matrix)


def _of_length_one(table: sparse.csr_array) -> sparse.csr_array:
    """Its rows, none of which is empty, divided by their norms."""
    norms = np.sqrt(table.multiply(table).sum(axis=1))
    return sparse.csr_array(sparse.diags_array((1 / norms).astype(np.float32)) @ table)


def main_directions(table: sparse.csr_array, dim: int, generator: np.random.Generator) -> Float32:
    """The first right singular vectors of float32[n, b], most important first: float32[b, at most dim].

    By subspace iteration from random directions (Halko, Martinsson and Tropp 2011, algorithm 4.4). Directions without
    any variance are left out. Each is as long as makes the mean square of the rows' projections on it 1, and its
    largest entry is positive.
    """
    rows, columns = table.shape
    followed = min(rows, columns, dim + _SPARE)
    if not followed:
        return np.zeros((columns, 0), np.float32)
    flipped = sparse.csr_array(table.T)
    space = generator.standard_normal((columns, followed), np.float32)
    for _ in range(_ROUNDS):
        space, _triangle = np.linalg.qr(flipped @ (table @ space))
    seen = (table @ space).astype(np.float64)
    variances, turned = np.linalg.eigh(seen.T @ seen / rows)
    order = np.argsort(-variances, kind="stable")[:dim]
    order = order[variances[order] > variances.max() * _NO_VARIANCE]
    directions = space @ (turned[:, order] / np.sqrt(variances[order]))
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(len(order))]
    return np.asarray(directions * np.sign(largest), np.float32)
