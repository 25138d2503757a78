"""Metrics in words and numbers as people read them: names, units, directions, rounding."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Direction = Literal["higher", "lower"]

COUNTS = ("violations", "ghosts", "duplicates", "short_results", "errors", "timeouts")


@dataclass(frozen=True, slots=True)
class MetricWords:
    """What a metric is called, in which unit it is shown (times `scale`), and which way is better."""

    label: str
    unit: str
    better: Direction
    scale: float = 1.0


_WORDS = {
    "throughput_qps": MetricWords("throughput", "queries/s", "higher"),
    "offered_qps": MetricWords("offered load", "queries/s", "higher"),
    "queries": MetricWords("requests", "", "higher"),
    "index_vectors_per_s": MetricWords("indexing rate", "vectors/s", "higher"),
    "index_s": MetricWords("loading time", "s", "lower"),
    "ready_s": MetricWords("time until searchable", "s", "lower"),
    "cpu_s": MetricWords("CPU time", "s", "lower"),
    "cpu_s_per_1000": MetricWords("CPU time per 1,000 queries", "s", "lower"),
    "client_cpu_s": MetricWords("CPU time of the clients", "s", "lower"),
    "client_cpu_s_per_1000": MetricWords("clients' CPU time per 1,000 queries", "s", "lower"),
    "rss_peak_bytes": MetricWords("peak memory", "MiB", "lower", 1 / 2**20),
    "rss_bytes": MetricWords("memory", "MiB", "lower", 1 / 2**20),
    "disk_bytes": MetricWords("disk", "MiB", "lower", 1 / 2**20),
    "rss_bytes_per_vector": MetricWords("memory per vector", "bytes", "lower"),
    "disk_bytes_per_vector": MetricWords("disk per vector", "bytes", "lower"),
    "steal_share": MetricWords("CPU steal", "%", "lower", 100.0),
    "upserts_per_s": MetricWords("upsert rate", "items/s", "higher"),
    "deletes_per_s": MetricWords("deletion rate", "items/s", "higher"),
}
_PERCENTILES = re.compile(r"^(latency|service_time|lateness|freshness|staleness|hiccup)_p(\d+)_(ms|us)$")


def words(metric: str) -> MetricWords:
    """The words for a metric of the result file; an unknown one keeps its name."""
    if metric in _WORDS:
        return _WORDS[metric]
    if metric.startswith("recall_at_"):
        return MetricWords(f"recall@{metric.removeprefix('recall_at_')}", "", "higher")
    if form := _PERCENTILES.match(metric):
        name, quantile, unit = form.groups()
        shown = {"p999": "P99.9"}.get(f"p{quantile}", f"P{quantile}")
        return MetricWords(f"{shown} {name.replace('_', ' ')}", unit, "lower")
    return MetricWords(metric.replace("_", " "), "", "lower")


def heading(metric: str) -> str:
    """`P99 latency, ms`."""
    term = words(metric)
    return f"{term.label}, {term.unit}" if term.unit else term.label


def number(value: float | None) -> str:
    """Three significant digits, thousands separated, no exponents: 11,200 · 184 · 9.31 · 0.0214."""
    if value is None:
        return "-"
    if not math.isfinite(value):
        return "∞" if value > 0 else "-"
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    rounded = round(value, 2 - magnitude)
    if magnitude >= 2 or rounded == int(rounded):
        return f"{rounded:,.0f}"
    return f"{rounded:.{min(max(2 - magnitude, 0), 6)}f}"


def plain(value: float) -> str:
    """As `number`, without trailing zeros and with M for millions: for ticks and limits."""
    if abs(value) >= 1e6:
        return f"{plain(value / 1e6)}M"
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(metric: str, value: float | None) -> str:
    """A value with its unit: `8,420 queries/s`; recall keeps three decimals, counts all digits."""
    if value is None:
        return "-"
    term = words(metric)
    if metric.startswith("recall_at_"):
        return f"{value:.3f}"
    if metric in COUNTS or metric == "queries":
        return f"{value:,.0f}"
    text = number(value * term.scale)
    return f"{text} {term.unit}".rstrip()


def factor(ratio: float) -> str:
    """A ratio of at least 1 in words: `12 % higher` below 2, `2.3 times` above."""
    return f"{number(ratio)} times" if ratio >= 2 else percent(ratio - 1)


def percent(share: float) -> str:
    """A share of 1 in per cent, two digits below 10: `97 %`, `2.5 %`; never 100 % for less than all."""
    points = 100 * share
    if 99.5 <= points < 100:
        return f"{min(points, 99.9):.1f} %"
    return f"{points:.0f} %" if abs(points) >= 9.95 or points == 0 else f"{points:.2g} %"


def settings(*params: Mapping[str, Any]) -> str:
    """Parameters on one line: `M=16, ef_construction=100; ef=64`; empty groups are left out."""
    groups = (", ".join(f"{key}={_value(value)}" for key, value in group.items()) for group in params)
    return "; ".join(group for group in groups if group)


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def shortened(text: str, longest: int) -> str:
    """The text, cut with an ellipsis where it is longer."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def listing(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
