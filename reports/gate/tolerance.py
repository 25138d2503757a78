"""The accepted loss, by metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from harness.results.metrics import spec

RECALL_TOLERANCE = 0.01  # absolute: a tenth of the recall would be far too much to lose unnoticed
Tolerance = Callable[[str], float]


def tolerances(given: Mapping[str, float] | float) -> Tolerance:
    """The accepted loss by metric, as a share; recall's is absolute and RECALL_TOLERANCE at most, unless recall is
    named. `default` stands for the metrics that are not named.
    """

    def tolerance(metric: str) -> float:
        if isinstance(given, Mapping):
            if metric in given:
                return given[metric]
            rest = given.get("default", 0.1)
        else:
            rest = given
        return min(rest, RECALL_TOLERANCE) if is_difference(metric) else rest

    return tolerance


def is_difference(metric: str) -> bool:
    """Whether its change is a difference (recall), not a ratio."""
    return spec(metric).shown == "recall"


def margin(metric: str, share: float) -> float:
    """The accepted loss as figures are compared: of recall as it is, else the logarithm of the factor for the worse."""
    if is_difference(metric):
        return share
    if spec(metric).better == "lower":
        return math.log1p(share)
    return -math.log1p(-share) if share < 1 else math.inf
