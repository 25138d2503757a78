"""Thresholds such as `latency.p99 < 50ms` or `recall >= 0.95`: parsed to a metric, a relation and a number."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_UNITS_MS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}
_FORM = re.compile(
    r"^\s*(?P<metric>[a-z_]+)(?:[.](?P<quantile>p\d+)|@(?P<k>\d+))?\s*(?P<relation><=|>=|==|<|>)\s*"
    r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>%|[a-z]*)\s*$"
)
_TIMED = ("latency", "service_time", "freshness", "staleness")


class ThresholdSyntaxError(ValueError):
    """A threshold's text is malformed; the message shows the expected form."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """`metric relation limit`; `metric` is a name of the result file, `limit` in that metric's unit."""

    text: str
    metric: str
    relation: str
    limit: float

    def holds(self, value: float) -> bool:
        """Whether a measured value satisfies it. NaN never does."""
        return _RELATIONS[self.relation](value, self.limit)


def parse_threshold(text: str) -> Threshold:
    """Parses `latency.p99 < 50ms`, `recall@10 >= 95%`, `recall >= 0.95`, `throughput_qps > 100`.

    `recall` without `@k` stands for the scenario's k. Raises ThresholdSyntaxError.
    """
    form = _FORM.match(text)
    if form is None:
        raise ThresholdSyntaxError(f"'{text}' is no threshold, write for example 'latency.p99 < 50ms'")
    metric, unit, number = form["metric"], form["unit"], float(form["number"])
    if form["quantile"]:
        if metric not in _TIMED:
            raise ThresholdSyntaxError(f"'{text}': only {', '.join(_TIMED)} have percentiles")
        metric = f"{metric}_{form['quantile']}_ms"
    elif form["k"]:
        if metric != "recall":
            raise ThresholdSyntaxError(f"'{text}': only recall is taken @k")
        metric = f"recall_at_{form['k']}"
    if unit == "%":
        number /= 100
    elif unit:
        if unit not in _UNITS_MS or not metric.endswith("_ms"):
            raise ThresholdSyntaxError(f"'{text}': unit '{unit}' does not fit {metric}")
        number *= _UNITS_MS[unit]
    return Threshold(text.strip(), metric, form["relation"], number)
