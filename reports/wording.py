"""Numbers and settings as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from harness.results.metrics import spec

_WIDEST = 100  # a factor, between the ends of an interval


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


def short_number(value: float) -> str:
    """As `number`, without trailing zeros and with M for millions: for ticks and limits."""
    if not abs(value) < 1e12:  # nor is NaN
        return f"{value:.3g}" if math.isfinite(value) else number(value)
    if abs(value) >= 1e6:
        return f"{short_number(value / 1e6)}M"
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(metric: str, value: float | None) -> str:
    """A value with its unit: `8,420 queries/s`; recall keeps three decimals, counts all digits."""
    if value is None:
        return "-"
    return f"{figure(metric, value)} {spec(metric).unit}".rstrip()


def figure(metric: str, value: float) -> str:
    """The same without the unit, as it stands in a column of a table."""
    known = spec(metric)
    if known.shown == "recall":
        return f"{value:.3f}"
    return f"{value:,.0f}" if known.shown == "integer" else number(value * known.scale)


def factor(ratio: float) -> str:
    """A ratio of at least 1 in words: `12 % higher` below 2, `2.3 times` above."""
    return f"{number(ratio)} times" if ratio >= 2 else percent(ratio - 1)


def interval(low: float | None, high: float | None, level: float, unit: str = "") -> str:
    """`97 % interval 2.1 to 2.5` of a ratio; empty without one. One that spans a factor of more than 100 tells only
    that there were too few trials, and says so.
    """
    if low is None or high is None:
        return ""
    if not high <= _WIDEST * low:
        return "too few trials for an interval"
    return f"{level * 100:.0f} % interval {number(low)} to {number(high)}{unit}"


def percent(share: float) -> str:
    """A share of 1 in per cent, two digits below 10: `97 %`, `2.5 %`; never 100 % for less than all."""
    points = 100 * share
    if 99.5 <= points < 100:
        return f"{min(points, 99.9):.1f} %"
    return f"{points:.0f} %" if abs(points) >= 9.95 or points == 0 else f"{points:.2g} %"


def load_text(load: Mapping[str, Any]) -> str:
    """What was offered: `200/s`, `90 % of its capacity`; empty in a closed loop.

    load: with `rate` (queries a second) or `share` (of what the engine answered in a closed loop), if any.
    """
    rate, share = load.get("rate"), load.get("share")
    if rate is not None:
        return f"{rate:,g}/s"
    return "" if share is None else f"{percent(share)} of its capacity"


def settings(*params: Mapping[str, Any]) -> str:
    """Parameters on one line: `M=16, ef_construction=100; ef=64`; empty groups are left out."""
    groups = (", ".join(f"{key}={_value(value)}" for key, value in group.items()) for group in params)
    return "; ".join(group for group in groups if group)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({settings(value)})"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_value, value))})"
    return str(value).lower() if isinstance(value, bool) else str(value)


def shortened(text: str, longest: int) -> str:
    """The text, cut with an ellipsis where it is longer."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def listing(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
