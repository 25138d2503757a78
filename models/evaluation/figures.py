"""What is said of answers: whether targets are found, and what kind of items is shown.

Figures of a case are means over cases later, so each is kept as one value a case, float64[c], NaN where it has none.
Figures of the whole (what of the catalogue is ever shown) are no means; for each of them it is kept what every case
adds, which is all that their interval needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.split import Cases
from models.evaluation.popularity import Popularity
from models.evaluation.recommender import places, without_repeats

Int32 = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure's name, its label and meaning for readers, and whether a case's value lies between 0 and 1."""

    name: str
    label: str
    meaning: str
    share: bool

    def at(self, k: int) -> str:
        """The name with its k, such as `recall_at_100`."""
        return f"{self.name}_at_{k}"


RECALL = Figure("recall", "recall@k", "share of a user's targets among the k items answered", True)
NDCG = Figure("ndcg", "NDCG@k", "how near the top of the k items the targets stand", True)
HIT = Figure("hit", "hit@k", "share of users with a target among the k items", True)
BIAS = Figure(
    "popularity_bias",
    "popularity bias@k",
    "mean popularity percentile of what is answered less that of the targets",
    False,
)
NOVELTY = Figure("novelty", "novelty@k", "mean information of the items answered, in bits", False)
COVERAGE = Figure("coverage", "coverage@k", "share of the catalogue answered to anyone", True)
GINI = Figure("gini", "Gini@k", "how unevenly answers are spread over the catalogue, 0 evenly to 1", True)

OF_CASES = (RECALL, NDCG, HIT, BIAS, NOVELTY)
OF_ALL = (COVERAGE, GINI)


@dataclass(frozen=True, slots=True)
class Whole:
    """A figure of all cases together, and what each case adds to it: float64[c]."""

    value: float
    added: Floats


def case_figures(
    answers: Int32, cases: Cases, popularity: Popularity, ks: Sequence[int]
) -> dict[str, Floats]:
    """Every figure of `OF_CASES` at every k: float64[c] by name, NaN where a case has no target or no answer.

    answers: int32[c, K] with K >= max(ks). An item that is answered twice counts once.
    """
    found, once = places(answers, cases.targets), without_repeats(answers)
    figures: dict[str, Floats] = {}
    for k in ks:
        figures[RECALL.at(k)] = recall(found, cases, k)
        figures[NDCG.at(k)] = ndcg(found, cases, k)
        figures[HIT.at(k)] = hit(found, cases, k)
        figures[BIAS.at(k)] = popularity_bias(once[:, :k], cases, popularity)
        figures[NOVELTY.at(k)] = novelty(once[:, :k], popularity)
    return figures


def recall(found: Int32, cases: Cases, k: int) -> Floats:
    """Targets among the first k answers over all targets of the case: float64[c].

    found: int32[targets], see `places`. With more than k targets even the best answer stays below 1.
    """
    return _ratio(_per_case((found >= 0) & (found < k), cases), cases.targets.lengths)


def hit(found: Int32, cases: Cases, k: int) -> Floats:
    """1 where a target is among the first k answers, else 0: float64[c]. The hit rate is its mean."""
    some = _per_case((found >= 0) & (found < k), cases) > 0
    return np.where(cases.targets.lengths > 0, some.astype(np.float64), np.nan)


def ndcg(found: Int32, cases: Cases, k: int) -> Floats:
    """Discounted gain of the targets over the largest possible: float64[c].

    A target at place p (from 0) gains 1 / log2(p + 2), beyond k nothing; the best answer has the min(k, targets) of
    them first (Järvelin and Kekäläinen 2002, with gains of 0 and 1 and the discount that begins at the second place).
    """
    gains = np.append(1 / np.log2(np.arange(k) + 2.0), 0.0)
    best = np.concatenate([[0.0], np.cumsum(gains[:k])])
    gained = _per_case(gains[np.where((found >= 0) & (found < k), found, k)], cases)
    return _ratio(gained, best[np.minimum(cases.targets.lengths, k)])


def popularity_bias(answers: Int32, cases: Cases, popularity: Popularity) -> Floats:
    """Mean popularity percentile of a case's answers less that of its targets: float64[c] in -1 to 1.

    Above 0: users are shown more popular items than they take. The popularity of answers against that of what users
    take themselves, as Abdollahpouri et al. 2019 ("The unfairness of popularity bias in recommendation") compare it,
    but in percentiles, so that a few bestsellers do not make the mean.
    """
    percentiles = popularity.percentiles
    wanted = _ratio(_per_case(percentiles[cases.targets.items], cases), cases.targets.lengths)
    return _mean_of(percentiles, answers) - wanted


def novelty(answers: Int32, popularity: Popularity) -> Floats:
    """Mean self-information of a case's answers: float64[c] in bits (Zhou et al. 2010; see `Popularity.information`).

    One bit more: taken by half as many.
    """
    return _mean_of(popularity.information, answers)


def coverage(answers: Int32, cases: Cases, items: int) -> Whole:
    """The share of the candidates that is answered to at least one case (Ge et al. 2010, "Beyond accuracy").

    answers: int32[c, k] without repeats. items: how many the catalogue has. It grows with the number of cases, so it
    compares recommenders over the same cases only. A case adds the items that are answered to nobody else.
    """
    shown, exposure = _exposure(answers, items)
    possible = _candidates(cases, items)
    alone = shown & (exposure[answers] == 1)
    count = max(1, int(np.count_nonzero(possible)))
    return Whole(int(np.count_nonzero(exposure[possible])) / count, alone.sum(axis=1) / count)


def gini(answers: Int32, cases: Cases, items: int) -> Whole:
    """Gini's index of how often each of n candidates is answered: 0 if all equally often, towards 1 if one always.

    G = sum over i of (2 i - n - 1) x_i / (n sum x), with x ascending and i from 1 (Gini 1912; for recommenders
    Fleder and Hosanagar 2009). NaN without answers. A case adds, to first order, what G would lose without it: for
    each of its answers ((b - (n - 1 - b)) / n - G) / sum x, with b items answered less often than that one.
    """
    shown, exposure = _exposure(answers, items)
    counts = np.sort(exposure[_candidates(cases, items)])
    n, total = len(counts), counts.sum()
    if total == 0:
        return Whole(np.nan, np.zeros(len(answers)))
    value = float(((2 * np.arange(1, n + 1) - n - 1) * counts).sum() / (n * total))
    below = np.searchsorted(counts, exposure, side="left")
    slope = ((2 * below - n + 1) / n - value) / total
    return Whole(value, np.where(shown, slope[answers], 0.0).sum(axis=1))


WHOLE: dict[str, Callable[[Int32, Cases, int], Whole]] = {COVERAGE.name: coverage, GINI.name: gini}


def whole_figures(answers: Int32, cases: Cases, items: int, ks: Sequence[int]) -> dict[str, Whole]:
    """Every figure of `OF_ALL` at every k, by name. answers: int32[c, K] with K >= max(ks).

    An item that is answered twice counts once.
    """
    once = without_repeats(answers)
    return {figure.at(k): WHOLE[figure.name](once[:, :k], cases, items) for k in ks for figure in OF_ALL}


def _per_case(values: npt.NDArray[np.bool_] | Floats, cases: Cases) -> Floats:
    """The sum over each case's targets."""
    owners = np.repeat(np.arange(len(cases)), cases.targets.lengths)
    return np.bincount(owners, weights=values.astype(np.float64), minlength=len(cases)).astype(np.float64)


def _ratio(part: Floats, whole: npt.NDArray[np.int64] | Floats) -> Floats:
    """Shares of the whole, NaN where the whole is 0."""
    shares: Floats = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return shares


def _mean_of(values: Floats, answers: Int32) -> Floats:
    shown = answers >= 0
    total = np.where(shown, values[answers], 0.0).sum(axis=1)
    return _ratio(total, shown.sum(axis=1))


def _exposure(answers: Int32, items: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Which answers count (bool[c, k]), and to how many cases each item is answered (int64[items])."""
    shown = answers >= 0
    return shown, np.bincount(answers[shown], minlength=items)


def _candidates(cases: Cases, items: int) -> npt.NDArray[np.bool_]:
    return np.ones(items, np.bool_) if cases.candidates is None else cases.candidates
