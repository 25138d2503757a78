"""The second stage: candidates in an order that looks at more than nearness. Small, and replaceable by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.memory.stock import Known, numbers_of
from service.retrieval.options import RerankOptions

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Context:
    """What candidates are ranked for. scores: float64[n] of retrieval, higher is better, in the candidates' order.

    now_ms: since 1970. typical_age_ms: the median age of what is on sale. prices: float64[m], of what the user took.
    """

    scores: Float64
    now_ms: int
    typical_age_ms: float
    prices: Float64


@dataclass(frozen=True, slots=True)
class Ranked:
    """totals: float64[n], higher is better. parts: what adds up to them, float64[n] by name."""

    totals: Float64
    parts: Mapping[str, Float64]


Reranker = Callable[[Known, Context], Ranked]


def as_retrieved(candidates: Known, context: Context) -> Ranked:
    """Leaves the order of retrieval."""
    del candidates
    return Ranked(context.scores, {"retrieved": context.scores})


def weighted(options: RerankOptions) -> Reranker:
    """The weighted mean of affinity, freshness and price fit, each between 0 and 1.

    affinity: retrieval's score, from the least to the greatest among the candidates. freshness: 2^(-age / typical
    age), so that half of what is on sale is above 1/2. price fit: exp(-z^2 / 2), z being how many spreads the logarithm
    of the price is away from the median of what the user paid; the spread is 1.4826 times the median distance from that
    median (the normal distribution's standard deviation, Rousseeuw and Croux 1993), at least log 1.25; 1/2 where no
    price is known. All scales come from the data.
    """
    weights = {
        "affinity": options.affinity,
        "freshness": options.freshness,
        "price_fit": options.price_fit if options.price else 0.0,
    }
    total = sum(weights.values())
    shares = {name: weight / total for name, weight in weights.items() if weight > 0}

    def rank(candidates: Known, context: Context) -> Ranked:
        parts, totals = {}, np.zeros(len(candidates))
        for name, share in shares.items():
            if name == "affinity":
                value = _scaled(context.scores)
            elif name == "freshness":
                age = np.maximum(context.now_ms - candidates.listed_ms, 0)
                value = np.exp2(-age / max(context.typical_age_ms, 1.0))
            else:
                prices = numbers_of(candidates.columns[str(options.price)])
                value = _price_fit(prices, context.prices)
            parts[name] = share * value
            totals += parts[name]
        return Ranked(totals, parts)

    return rank


def _scaled(scores: Float64) -> Float64:
    if not len(scores):
        return scores
    least, greatest = scores.min(), scores.max()
    return (scores - least) / (greatest - least) if greatest > least else np.ones(len(scores))


def _price_fit(prices: Float64, paid: Float64) -> Float64:
    paid = paid[paid > 0]
    if not len(paid):
        return np.full(len(prices), 0.5)
    logs = np.log(paid)
    middle = np.median(logs)
    spread = max(1.4826 * float(np.median(np.abs(logs - middle))), np.log(1.25))
    away = (np.log(np.where(prices > 0, prices, 1.0)) - middle) / spread
    return np.where(prices > 0, np.exp(-np.square(away) / 2), 0.5)
