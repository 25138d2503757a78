"""A blend that learns nothing but three weights: taken together, the same key, and popular among what is alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.errors import ConfigurationError
from models.data.interactions import ItemLists
from models.data.items import MISSING, Categories, Items
from models.data.split import Cases
from models.evaluation.baselines.ranking import as_matrix, best, blocks, exclude
from models.evaluation.baselines.together import Together
from models.evaluation.popularity import Popularity

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]

_CELLS = 2 << 20


@dataclass(frozen=True, slots=True)
class Weights:
    """What the parts of a blend count, beside co-occurrence, which counts 1; `focus` is a power, see `Blend`."""

    same: float = 1.0
    alike: float = 4.0
    focus: float = 1.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What is blended for b cases: together, same, share: float32[b, n]. Their scores need weights only."""

    together: Float32
    same: Float32
    share: Float32


@dataclass(frozen=True, slots=True)
class Blend:
    """The score of item j for a history of items i is the sum of

    log(1 + users who took j with any i, counted for each i),
    same x log(1 + items of the history with the key of j, such as a product code that colours share), and
    alike x share^focus x log(1 + taken_j) / log(1 + the largest taken), where share is, averaged over columns, the
    share of the history that has the word of j there.

    Logarithms because a count of 20 is more than one of 2, but not ten times as sure. A value that is missing is like
    none. keys, words: items x words, sparse; keys is None without a key.
    """

    together: Together
    keys: Any
    words: Any
    weights: Weights

    @classmethod
    def fit(
        cls,
        training: ItemLists,
        popularity: Popularity,
        items: Items,
        *,
        key: str | None = None,
        columns: Sequence[str] | None = None,
        weights: Weights | None = None,
    ) -> Blend:
        """Counts, and looks up columns. key: a column of categories, or None; columns: None for all others.

        Raises ConfigurationError for names that are no columns of categories.
        """
        names = [name for name in items.categories if name != key] if columns is None else list(columns)
        unknown = [name for name in [*names, *([key] if key else [])] if name not in items.categories]
        if unknown:
            known = ", ".join(items.categories) or "none"
            raise ConfigurationError(
                [f"blend: '{name}' is no column of categories; the items have: {known}" for name in unknown]
            )
        keys = _words([items.categories[key]]) if key else None
        words = _words([items.categories[name] for name in names]) if names else None
        return cls(Together.fit(training, popularity), keys, words, weights or Weights())

    @property
    def popularity(self) -> Popularity:
        """Of the training that this was fitted to."""
        return self.together.popularity

    def weighing(self, weights: Weights) -> Blend:
        """The same with other weights."""
        return replace(self, weights=weights)

    def costs(self, cases: Cases) -> Int64:
        """Cells that `parts` needs for each case, or a little more: int64[c]."""
        return self.together.costs(cases) + len(self.popularity)

    def parts(self, cases: Cases) -> Parts:
        """What is blended, for cases that should be few: three times c x n cells."""
        histories = as_matrix(cases.histories, len(self.popularity))
        together = self.together.scores(cases)
        together.data = np.log1p(together.data)
        same = share = np.zeros((len(cases), len(self.popularity)), np.float32)
        if self.keys is not None:
            found = (histories @ self.keys) @ self.keys.T
            found.data = np.log1p(found.data)
            same = found.toarray()
        if self.words is not None:
            profile = (histories @ self.words).toarray() / np.maximum(cases.histories.lengths, 1)[:, None]
            share = np.ascontiguousarray((self.words @ profile.T.astype(np.float32)).T)
        return Parts(together.toarray(), same, share)

    def scores(self, parts: Parts, weights: Weights) -> Float32:
        """The blended scores: float32[b, n]."""
        taken = self.popularity.taken
        trend = np.log1p(taken) / max(np.log1p(taken.max(initial=0)), 1e-9)
        alike = parts.share if weights.focus == 1 else parts.share ** np.float32(weights.focus)
        scores: Float32 = alike * (weights.alike * trend).astype(np.float32)
        scores += parts.together
        if weights.same:
            scores += np.float32(weights.same) * parts.same
        return scores

    def recommend(self, cases: Cases, k: int) -> Int32:
        """See `Recommender`."""
        answers = np.full((len(cases), k), -1, np.int32)
        for rows, part in blocks(cases, self.costs(cases), _CELLS):
            scores = self.scores(self.parts(part), self.weights)
            exclude(scores, part)
            answers[rows] = best(scores, self.popularity, k)
        return answers


def _words(columns: Sequence[Categories]) -> Any:
    """Items x words of all columns, sparse float32. Two items that share every word have a product of 1."""
    from scipy import sparse

    offsets = np.concatenate([[0], np.cumsum([len(column.words) for column in columns])])
    codes = np.stack([column.codes for column in columns], axis=1).astype(np.int64)
    known = codes != MISSING
    starts = np.concatenate([[0], np.cumsum(known.sum(axis=1))])
    values = np.full(int(known.sum()), len(columns) ** -0.5, np.float32)
    shape = (len(codes), int(offsets[-1]))
    return sparse.csr_array((values, (codes + offsets[:-1])[known], starts), shape=shape)
