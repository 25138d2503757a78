"""Numbers of any unit and spread as a few standard deviations around 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.features.features import Float32

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_TAIL = 0.001  # beyond these quantiles a value counts as the quantile
_HEAVY = 4.0  # an exponential distribution reaches 5.7, a normal one 1
_FARTHEST = 5.0  # standard deviations
_ROUNDING = 1e-12  # a smaller deviation is one of rounding errors: the column is constant
_MOST_UNITS = 1e300  # more overflow


@dataclass(frozen=True, slots=True)
class NumberScale:
    """How a column of numbers is standardised: clip to [low, high], divide by unit, log(1 + x) where `log`, then
    subtract `mean` and divide by `deviation` (0: the column is constant and says nothing).
    """

    low: float
    high: float
    unit: float
    log: bool
    mean: float
    deviation: float

    @classmethod
    def fit(cls, values: Float64) -> NumberScale:
        """From a catalogue's values, float64[n]; what is not finite does not count.

        The bounds are the quantiles 0.001 and 0.999, or the extremes where these quantiles are equal (a rare value
        beside a common one). The logarithm is taken where no value is negative and the upper tail is heavy: the
        quantile 0.99 is more than 4 times as far above the median as the quantile 0.01 is below it. It is taken in
        units of the median of the positive values, so that the currency does not matter.
        """
        values = values[np.isfinite(values)]
        if not len(values):
            return cls(0.0, 0.0, 1.0, False, 0.0, 0.0)
        # As values, not between two of them: the difference of huge ones is infinite.
        levels = (_TAIL, 0.01, 0.5, 0.99, 1 - _TAIL)
        low, first, median, last, high = np.quantile(values, levels, method="nearest").tolist()
        if low == high:
            low, high = float(values.min()), float(values.max())
        log = bool(values.min() >= 0 and last / _HEAVY - median / _HEAVY > median - first)
        unit = max(abs(low), abs(high)) or 1.0
        if log:
            unit = max(float(np.quantile(values[values > 0], 0.5, method="nearest")), high / _MOST_UNITS)
        scaled = _scaled(values, low, high, unit, log)
        deviation = float(scaled.std())
        return cls(low, high, unit, log, float(scaled.mean()), deviation if deviation > _ROUNDING else 0.0)


@dataclass(frozen=True, slots=True)
class NumberScales:
    """The scales of m columns, applied at once. weight: 1 / deviation, 0 for a constant column."""

    low: Float64
    high: Float64
    unit: Float64
    log: npt.NDArray[np.bool_]
    mean: Float64
    weight: Float64

    @classmethod
    def of(cls, scales: Sequence[NumberScale]) -> NumberScales:
        """One column a scale."""

        def column(name: str) -> Float64:
            return np.array([getattr(scale, name) for scale in scales], np.float64)

        deviation = column("deviation")
        weight = np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)
        return cls(column("low"), column("high"), column("unit"), column("log") > 0, column("mean"), weight)

    def encode(self, values: Float64) -> tuple[Float32, Int64, Int64]:
        """float32[n, 2 m] from float64[n, m]: for each number its standardised value (at most 5 from 0), and 1 where
        there is none. Then int64[m] twice: how many are missing (NaN) and how many infinite, which count as missing.
        """
        scaled = _scaled(values, self.low, self.high, self.unit, self.log)
        scaled -= self.mean
        scaled *= self.weight
        encoded = np.zeros((len(values), 2 * values.shape[1]), np.float32)
        encoded[:, ::2] = np.minimum(np.maximum(scaled, -_FARTHEST), _FARTHEST)
        finite = np.isfinite(values)
        if finite.all():
            none = np.zeros(values.shape[1], np.int64)
            return encoded, none, none
        encoded[:, ::2][~finite] = 0
        encoded[:, 1::2] = ~finite
        missing = np.isnan(values).sum(axis=0)
        return encoded, missing, (~finite).sum(axis=0) - missing


def no_numbers(columns: int) -> Float32:
    """What `NumberScales.encode` gives for a listing without any number: float32[2 columns]."""
    return np.tile(np.array([0, 1], np.float32), columns)


def _scaled(
    values: Float64,
    low: Float64 | float,
    high: Float64 | float,
    unit: Float64 | float,
    log: npt.NDArray[np.bool_] | bool,
) -> Float64:
    """Before it is standardised; NaN as `low`."""
    scaled: Float64 = np.fmin(np.fmax(values, low), high)
    scaled /= unit
    return np.log1p(scaled, out=scaled, where=log)
