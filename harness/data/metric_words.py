"""The words by which people call a metric, and the metric that each means."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

from engines.base import Metric
from engines.values.shown import shown

# Written without regard to case, spaces, hyphens and underscores. What differs only by a monotonic step (a square, a
# similarity instead of a distance) gives the same neighbours.
_WORDS: dict[Metric, tuple[str, ...]] = {
    "l2": ("l2", "euclidean", "euclid", "euclideandistance", "l2distance", "l2norm", "l2squared", "l2sq"),
    "ip": ("ip", "dot", "dotproduct", "innerproduct", "maxinnerproduct", "mips"),
    "cosine": ("cosine", "angular", "cos", "cosinesimilarity", "cosinedistance"),
}
_METRICS = {word: metric for metric, words in _WORDS.items() for word in words}
KNOWN = "l2 (euclidean), ip (dot, inner_product) or cosine (angular)"


def metric_named(word: str) -> Metric | None:
    """The metric that a word means, such as Cosine, L2, euclidean, dot or inner product; None if it is none."""
    return _METRICS.get(re.sub(r"[\s_-]", "", word.casefold()))


def _validated(value: object) -> object:
    if isinstance(value, str) and (metric := metric_named(value)):
        return metric
    raise ValueError(f"must be {KNOWN}, got {shown(value)}")


MetricWord = Annotated[Metric, BeforeValidator(_validated)]  # a key of a manifest
