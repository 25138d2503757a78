"""How good answers by shorter or rounded vectors are, beside those by the full ones. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.results.stats import Comparison, Interval
from models.data.split import Cases
from models.evaluation.approximate import hits_lost
from models.evaluation.cells import Plan
from models.evaluation.figures import NDCG, RECALL, Floats, ndcg, recall
from models.evaluation.intervals import compare_means, share_interval
from models.features.features import Int32

FIGURES = {RECALL.name: recall, NDCG.name: ndcg}


@dataclass(frozen=True, slots=True)
class Judged:
    """A figure of a variant at one k. difference: from the full vectors, paired by case; None of these themselves."""

    figure: str
    k: int
    value: Interval
    difference: Comparison | None


@dataclass(frozen=True, slots=True)
class Quality:
    """A variant over some cases. hits_lost: by k, the share of the full vectors' hits that is lost; None of these."""

    figures: tuple[Judged, ...]
    hits_lost: dict[int, Comparison] | None


def quality(found: Int32, full: Int32, cases: Cases, plan: Plan) -> Quality:
    """A variant beside the full vectors.

    found, full: int32[targets], where the targets stand among their answers, see `places`. plan: at which k, and the
    draws, seed and level of the intervals; the same draws of cases for every variant.
    """
    itself = found is full
    names = [(figure, k) for k in plan.ks for figure in FIGURES]
    own, others = (_values(places, cases, names) for places in (found, full))
    differences: list[Comparison | None] = [None] * len(names)
    if not itself:
        rng = np.random.default_rng(plan.seed)
        bounded = np.ones(len(names), np.bool_)
        differences = [*compare_means(own - others, rng, bounded=bounded, draws=plan.draws, level=plan.level)]
    figures = tuple(
        Judged(figure, k, share_interval(own[:, column], plan.level), differences[column])
        for column, (figure, k) in enumerate(names)
    )
    return Quality(figures, None if itself else _hits_lost(found, full, cases, plan))


def _values(found: Int32, cases: Cases, names: Sequence[tuple[str, int]]) -> Floats:
    return np.stack([FIGURES[figure](found, cases, k) for figure, k in names], axis=1)


def _hits_lost(found: Int32, full: Int32, cases: Cases, plan: Plan) -> dict[int, Comparison]:
    lost = {}
    for k in plan.ks:
        by_full, by_variant = ((places >= 0) & (places < k) for places in (full, found))
        rng = np.random.default_rng(plan.seed)
        lost[k] = hits_lost(by_full, by_variant, cases.targets, rng, draws=plan.draws, level=plan.level)
    return lost
