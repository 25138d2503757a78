"""From samples to the figures of a search cell (docs/metrics.md); pure."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from harness.results.judging import Judged
from harness.results.samples import ERROR, OK, TIMEOUT, Samples

Ints = npt.NDArray[np.int64]

_BEYOND = 10  # samples that must lie beyond a percentile for it to be reported
_LATENCY = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
_FEW = {"p50": 0.5, "p99": 0.99}


def percentile_ms(values_ns: Ints, quantile: float) -> tuple[float | None, str]:
    """The order statistic at rank ceil(n x quantile) (nearest rank) in milliseconds, and "".

    It is a value that occurred, never an interpolation. Where fewer than 10 samples lie beyond it: None, and
    the reason.
    """
    rank = math.ceil(round(len(values_ns) * quantile, 6))
    if len(values_ns) - rank < _BEYOND:
        needed = math.ceil(round(_BEYOND / (1 - quantile), 6))
        return (
            None,
            f"{len(values_ns)} samples; {needed} are needed for {_BEYOND} to lie beyond the percentile",
        )
    return float(np.partition(values_ns, rank - 1)[rank - 1]) / 1e6, ""


def summarize(
    samples: Samples, judged: Judged, *, k: int, offered_s: float | None = None
) -> tuple[dict[str, float | None], dict[str, str]]:
    """The metrics of one search cell, and for each that is None the reason.

    offered_s: the length of the arrival schedule; None in a closed loop, which has neither an offered rate
    nor lateness.
    """
    answered = samples.status == OK
    metrics: dict[str, float | None] = {f"recall_at_{k}": None, "recall_sd": None, "throughput_qps": None}
    reasons: dict[str, str] = {}
    if answered.any():
        metrics[f"recall_at_{k}"] = float(judged.recall[answered].mean())
    else:
        reasons[f"recall_at_{k}"] = "no request was answered"
    if np.count_nonzero(answered) > 1:
        metrics["recall_sd"] = float(judged.recall[answered].std(ddof=1))
    else:
        reasons["recall_sd"] = "takes two requests that were answered"
    timed = [
        ("latency", samples.latency_ns, _LATENCY, "ms"),
        ("service_time", samples.service_time_ns, _FEW, "ms"),
    ]
    if offered_s is not None:
        timed.append(("lateness", samples.lateness_ns, _FEW, "us"))
        metrics["offered_qps"] = len(samples) / offered_s
    for name, values_ns, quantiles, unit in timed:
        for label, quantile in quantiles.items():
            value, reason = percentile_ms(values_ns, quantile)
            metrics[f"{name}_{label}_{unit}"] = value * 1e3 if value is not None and unit == "us" else value
            if reason:
                reasons[f"{name}_{label}_{unit}"] = reason
    window_s = (samples.done_ns.max() - samples.scheduled_ns.min()) / 1e9 if len(samples) else 0.0
    # An open loop's window is never shorter than its schedule: the quiet before the first request and after
    # the last belongs to it, or an engine would seem to answer more than was asked.
    window_s = max(window_s, offered_s or 0.0)
    if len(samples) and window_s > 0:
        metrics["throughput_qps"] = float(np.count_nonzero(answered) / window_s)
    else:
        reasons["throughput_qps"] = "no request was due"
    counts = {
        "queries": len(samples),
        "violations": judged.violations.sum(),
        "ghosts": judged.ghosts.sum(),
        "duplicates": judged.duplicates.sum(),
        "short_results": judged.short.sum(),
        "errors": np.count_nonzero(samples.status == ERROR),
        "timeouts": np.count_nonzero(samples.status == TIMEOUT),
    }
    return metrics | {name: float(count) for name, count in counts.items()}, reasons
