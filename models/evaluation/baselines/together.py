"""What users took together with the history: co-occurrence, and its normalised kin such as the cosine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.data.interactions import ItemLists
from models.data.split import Cases
from models.evaluation.baselines.popular import fill
from models.evaluation.baselines.ranking import as_matrix, best_of, blocks
from models.evaluation.popularity import Popularity

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

LONGEST = 500  # items of a training list that count
_CELLS = 4 << 20


@dataclass(frozen=True, slots=True)
class Together:
    """Item-item neighbourhoods: the score of item j is the sum over i of the history of

    c_ij / (t_i^a t_j^b), where c_ij is how many users took both, and t how many took one (Deshpande and Karypis 2004,
    "Item-based top-N recommendation"). a = b = 0: co-occurrence; a = b = 1/2: the cosine. Items without a score follow
    by popularity.

    lists: users x items, 1 where taken, sparse; by_item: the same by item. shortened: how many training lists were cut
    to their last `LONGEST` items, for a list of n items makes n^2 pairs. The matrix c is never made: memory is that of
    the lists, and a few tens of megabytes.
    """

    lists: Any
    by_item: Any
    popularity: Popularity
    own_power: float
    other_power: float
    shortened: int

    @classmethod
    def fit(
        cls,
        training: ItemLists,
        popularity: Popularity,
        *,
        own_power: float = 0.0,
        other_power: float = 0.0,
        longest: int = LONGEST,
    ) -> Together:
        """Counts. own_power: a, of items of the history; other_power: b, of items that are scored."""
        lengths = training.lengths
        kept = np.minimum(lengths, longest)
        starts = np.concatenate([[0], np.cumsum(kept)])
        places = np.repeat(training.starts[1:] - kept - starts[:-1], kept) + np.arange(starts[-1])
        lists = as_matrix(ItemLists(starts, training.items[places]), len(popularity))
        shortened = int(np.count_nonzero(lengths > longest))
        return cls(lists, lists.T.tocsr(), popularity, own_power, other_power, shortened)

    def costs(self, cases: Cases) -> Int64:
        """At most how many items `scores` finds for each case: int64[c]."""
        reach = self.by_item @ np.diff(self.lists.indptr).astype(np.float64)
        cells: Int64 = (as_matrix(cases.histories, len(self.popularity)) @ reach).astype(np.int64)
        return cells

    def scores(self, cases: Cases) -> Any:
        """The scores of all cases, sparse float32[c, items]; items of the history may be among them."""
        taken = np.maximum(self.popularity.taken, 1).astype(np.float32)
        histories = as_matrix(cases.histories, len(self.popularity))
        if self.own_power:
            histories.data /= taken[histories.indices] ** self.own_power
        found = (histories @ self.by_item) @ self.lists
        if self.other_power:
            found.data /= taken[found.indices] ** self.other_power
        return found

    def recommend(self, cases: Cases, k: int) -> Int32:
        """See `Recommender`."""
        answers = np.full((len(cases), k), -1, np.int32)
        allowed = (
            np.ones(len(self.popularity), np.bool_) if cases.candidates is None else cases.candidates.copy()
        )
        for rows, part in blocks(cases, self.costs(cases), _CELLS):
            found = self.scores(part)
            for row in range(len(part)):
                items = found.indices[found.indptr[row] : found.indptr[row + 1]]
                scores = found.data[found.indptr[row] : found.indptr[row + 1]]
                history = part.histories[row]
                before = allowed[history]
                allowed[history] = False
                kept = allowed[items]
                allowed[history] = before
                chosen = best_of(items[kept], scores[kept], self.popularity, k)
                answers[rows.start + row, : len(chosen)] = chosen
        fill(answers, cases, self.popularity)
        return answers
