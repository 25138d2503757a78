"""What a decision compares settings by: a figure, under a load, over a mix of filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.results.metrics import CLOSED, OPEN
from harness.results.stats import harmonic_mean
from harness.scenario.specs import DecisionSpec

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Objective:
    """What is optimised among the candidates that meet every requirement.

    weights: how much each filter counts in the mix, by name, as the scenario says; those it does not name count
    nothing. None: all alike.
    """

    metric: str
    maximise: bool
    weights: Mapping[str, float] | None = None

    @classmethod
    def of(cls, spec: DecisionSpec) -> Objective:
        goal, metric = spec.objective.split()
        return cls(metric, goal == "max", spec.weights)

    @property
    def is_latency(self) -> bool:
        return self.metric.startswith("latency")

    @property
    def executors(self) -> tuple[str, ...]:
        """The loads under which it is compared, the first that was measured: a throughput is what a closed loop
        reaches, and latencies are only comparable where all are offered the same.
        """
        if self.is_latency:
            return (OPEN,)
        return (CLOSED,) if self.maximise else (CLOSED, OPEN)

    @property
    def noun(self) -> str:
        """What the figure is, in a word."""
        return "throughput" if self.maximise else "latency" if self.is_latency else "cost"

    def shares(self, filters: Sequence[str]) -> Floats:
        """How much of the mix each of these filters is; they sum to 1, or are NaN where none of them counts."""
        if self.weights is None:
            return np.full(len(filters), 1 / max(len(filters), 1))
        given = np.array([self.weights.get(name, 0.0) for name in filters])
        total = given.sum()
        return given / total if total > 0 else np.full(len(filters), np.nan)

    def mix(self, by_filter: Floats, shares: Floats) -> Any:
        """One figure for a mix of filters, over axis 0: rates combine by the harmonic mean (the mix takes the sum of
        their times), cost and latency of a query by the arithmetic mean. shares: of the mix, a filter each.
        """
        asked = shares > 0
        if self.maximise:
            return harmonic_mean(by_filter[asked], axis=0, weights=shares[asked])
        return np.average(by_filter[asked], axis=0, weights=shares[asked])

    def ratio(self, better: float, worse: float) -> float:
        """By which factor the better score is ahead; infinite where the other is 0."""
        top, bottom = (better, worse) if self.maximise else (worse, better)
        return top / bottom if bottom else np.inf

    def oriented(self, score: Any) -> Any:
        """The score so that more is better."""
        return score if self.maximise else -score
