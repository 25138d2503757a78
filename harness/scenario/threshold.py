"""Thresholds such as `latency.p99 < 50ms` or `recall >= 0.95`: parsed to a metric, a relation and a number."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engines.meant import meant
from engines.values.shown import shown
from harness.results.metrics import PERCENTILES, TABLE, find

_RELATIONS: dict[str, Callable[[Any, float], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
_BYTES = {"B": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30}
_FORM = re.compile(
    r"^\s*(?P<metric>[a-z][a-z0-9_]*)(?:[.](?P<quantile>p\d+)|@(?P<k>\d+))?\s*(?P<relation><=|>=|==|<|>)\s*"
    r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>%|[A-Za-z]*)\s*$"
)


class ThresholdSyntaxError(ValueError):
    """A threshold's text is malformed; the message shows the expected form."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """`metric relation limit`; `metric` is a name of the result file, `limit` in that metric's unit.

    share: of a count, whether the limit is a share (0.01: one in a hundred) of what it is counted out of.
    """

    text: str
    metric: str
    relation: str
    limit: float
    share: bool = False

    def holds(self, value: float) -> bool:
        """Whether a measured value satisfies it. NaN never does."""
        return bool(self.holds_each(value))

    def holds_each(self, values: Any) -> Any:
        """The same for an array of values."""
        return _RELATIONS[self.relation](values, self.limit)


def parse_threshold(text: str) -> Threshold:
    """Parses `latency.p99 < 50ms`, `recall@10 >= 95%`, `rss_peak_bytes < 2GiB`, `errors <= 0.1%`, `ghosts == 0`.

    `recall` without `@k` stands for the scenario's k. A number without a unit is in the metric's own. Raises
    ThresholdSyntaxError.
    """
    form = _FORM.match(text)
    if form is None:
        raise ThresholdSyntaxError(f"'{text}' is no threshold, write for example 'latency.p99 < 50ms'")
    metric = form["metric"]
    if form["quantile"]:
        timed = _with_percentiles()
        if metric not in timed:
            raise ThresholdSyntaxError(f"'{text}': only {', '.join(timed)} have percentiles")
        metric = f"{metric}_{form['quantile']}_{timed[metric]}"
    elif form["k"]:
        if metric != "recall":
            raise ThresholdSyntaxError(f"'{text}': only recall is taken @k")
        metric = f"recall_at_{form['k']}"
    if metric != "recall" and find(metric) is None:
        near = meant(metric, ["recall", *(spec.name for spec in TABLE)])
        raise ThresholdSyntaxError(
            f"'{text}': there is no metric {metric}, {near or 'see docs/metrics.md for their names'}"
        )
    limit = float(form["number"]) * _factor(text, metric, form["unit"])
    if not math.isfinite(limit):
        raise ThresholdSyntaxError(f"{shown(text)}: its limit is larger than any measured figure")
    share = form["unit"] == "%" and _is_count(metric)
    return Threshold(text.strip(), metric, form["relation"], limit, share)


def _is_count(metric: str) -> bool:
    known = find(metric)
    return known is not None and known.is_count


def _factor(text: str, metric: str, unit: str) -> float:
    """What a number in `unit` is multiplied by to be in the metric's own."""
    if not unit:
        return 1.0
    suffix = metric.rsplit("_", 1)[-1]
    if unit == "%" and (metric.startswith("recall") or suffix == "share" or _is_count(metric)):
        return 0.01
    if unit in _SECONDS and suffix in _SECONDS and not metric.endswith("_per_s"):
        return _SECONDS[unit] / _SECONDS[suffix]
    if unit in _BYTES and suffix == "bytes":
        return _BYTES[unit]
    raise ThresholdSyntaxError(f"'{text}': unit '{unit}' does not fit {metric}")


def _with_percentiles() -> dict[str, str]:
    """The metrics that have percentiles, each with its unit."""
    forms = (re.fullmatch(rf"(\w+)_(?:{'|'.join(PERCENTILES)})_(ms|us)", spec.name) for spec in TABLE)
    return {form[1]: form[2] for form in forms if form}
