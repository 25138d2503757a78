"""What users lose when an engine answers approximately: its answers against the exact ones, and against targets.

Recall against exact counts neighbours; a user only misses those that they would have taken. Both are told here, and
how much of the hits goes, with an interval. Pure; randomness is passed in.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.results.stats import Comparison, Interval
from models.data.interactions import ItemLists
from models.evaluation.cells import without_nan
from models.evaluation.intervals import (
    DRAWS,
    FEW_THAT_DIFFER,
    bootstrap_means,
    bootstrap_p_value,
    nearly_equal,
    percentile_bounds,
    share_interval,
)
from models.evaluation.neighbours import Neighbours, inverse_ratio, judged, recall_against_exact
from models.evaluation.recommender import places

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Loss:
    """What approximation costs over c cases.

    recall: against exact. ratio: 1/ratio@k. exact_hits, engine_hits: targets among the exact answers and among the
    engine's; lost, gained: targets that only the first or only the second have. hits_lost: the share of the exact
    search's hits that is lost in all, 1 - engine_hits / exact_hits, with its paired interval; negative where more are
    gained. unanswerable: cases without an exact answer, which recall and ratio leave out. See `Judged` for the rest.
    """

    k: int
    cases: int
    targets: int
    recall: Interval
    ratio: Interval
    exact_hits: int
    engine_hits: int
    lost: int
    gained: int
    hits_lost: Comparison
    unanswerable: int
    repeats: int
    impossible: int
    short: int

    def to_json(self) -> dict[str, Any]:
        """As plain values for a JSON file; what is not known is None."""
        plain: dict[str, Any] = without_nan(asdict(self))
        return plain


def loss(
    exact: Neighbours,
    engine: Neighbours,
    targets: ItemLists,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    level: float = 0.95,
    tolerance: float = 1e-9,
) -> Loss:
    """What c cases lose by an engine's answers in place of the exact ones, both to the same allowed items.

    targets: c lists. See `judged` for what an engine's answer must be to count, and `Neighbours` for distances.
    """
    found = judged(exact, engine, tolerance)
    by_exact = places(exact.items, targets) >= 0
    by_engine = places(found.answers.items, targets) >= 0
    recall = recall_against_exact(exact, found)
    return Loss(
        exact.items.shape[1],
        len(exact.items),
        len(targets.items),
        share_interval(recall, level),
        share_interval(inverse_ratio(exact, found), level),
        int(by_exact.sum()),
        int(by_engine.sum()),
        int((by_exact & ~by_engine).sum()),
        int((by_engine & ~by_exact).sum()),
        hits_lost(by_exact, by_engine, targets, rng, draws=draws, level=level),
        int(np.isnan(recall).sum()),
        found.repeats,
        found.impossible,
        found.short,
    )


def hits_lost(
    by_exact: Bools,
    by_engine: Bools,
    targets: ItemLists,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Comparison:
    """1 - hits of the engine / hits of exact search, with an interval and the p-value of no loss.

    by_exact, by_engine: bool[targets], which are found. The ratio of both sums over the same resamples of cases. Where
    fewer than 30 targets differ, the interval of Agresti and Min for the difference over the exact hits (see
    `nearly_equal`), because the bootstrap knows no loss that it has not seen. NaN without an exact hit; without bounds
    below two.
    """
    hits = int(by_exact.sum())
    differences = by_exact.astype(np.float64) - by_engine
    change = float(differences.sum()) / hits if hits else math.nan
    if hits < 2 or len(targets) < 2:
        return Comparison(change, None, None, None, level)
    if np.count_nonzero(differences) < FEW_THAT_DIFFER:
        return nearly_equal(differences, level, hits)
    owners = np.repeat(np.arange(len(targets)), targets.lengths)
    sums = [np.bincount(owners, side, len(targets)) for side in (differences, by_exact.astype(np.float64))]
    drawn = bootstrap_means(np.stack(sums, axis=1), rng, draws).draws
    with np.errstate(invalid="ignore", divide="ignore"):
        lost = drawn[:, 0] / drawn[:, 1]
    low, high = percentile_bounds(lost, len(targets), level)
    return Comparison(change, low, high, bootstrap_p_value(drawn[:, 0]), level)
