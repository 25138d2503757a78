"""From samples to the figures of a search cell (docs/metrics.md); pure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.results.judging import Judged
from harness.results.samples import ERROR, OK, TIMEOUT, Samples

Ints = npt.NDArray[np.int64]

_BEYOND = 10  # samples that must lie beyond a percentile for it to be reported
_LATENCY = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
_FEW_PERCENTILES = {"p50": 0.5, "p99": 0.99}


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

    judged: of the kept answers, `samples.kept_rows`. offered_s: the length of the arrival schedule; None in a closed
    loop, which has neither an offered rate nor lateness.
    """
    metrics: dict[str, float | None] = {f"recall_at_{k}": None, "recall_sd": None, "throughput_qps": None}
    reasons: dict[str, str] = {}
    judged_rows = samples.status[samples.kept_rows] == OK
    if judged_rows.any():
        metrics[f"recall_at_{k}"] = float(judged.recall[judged_rows].mean())
    else:
        reasons[f"recall_at_{k}"] = "no request was answered"
    if np.count_nonzero(judged_rows) > 1:
        metrics["recall_sd"] = float(judged.recall[judged_rows].std(ddof=1))
    else:
        reasons["recall_sd"] = "takes two requests that were answered"
    timed = [
        ("latency", samples.latency_ns, _LATENCY, "ms"),
        ("service_time", samples.service_time_ns, _FEW_PERCENTILES, "ms"),
    ]
    if offered_s is not None:
        timed.append(("lateness", samples.lateness_ns, _FEW_PERCENTILES, "us"))
        metrics["offered_qps"] = len(samples) / offered_s
        metrics["clients_busy_share"] = clients_busy_share(samples)
    for name, values_ns, quantiles, unit in timed:
        for label, quantile in quantiles.items():
            value, reason = percentile_ms(values_ns, quantile)
            metrics[f"{name}_{label}_{unit}"] = value * 1e3 if value is not None and unit == "us" else value
            if reason:
                reasons[f"{name}_{label}_{unit}"] = reason
    metrics["latency_max_ms"] = float(samples.latency_ns.max()) / 1e6 if len(samples) else None
    metrics["throughput_qps"] = throughput(samples, offered_s)
    for name in ("latency_max_ms", "throughput_qps", "clients_busy_share"):
        if name in metrics and metrics[name] is None:
            reasons[name] = "no request was due"
    return metrics | answer_counts(judged) | _request_counts(samples), reasons


def throughput(samples: Samples, offered_s: float | None = None) -> float | None:
    """Requests answered within the window, a second; None without requests or without a window.

    One that is answered later does not stretch the window: its wait stands in the latencies. offered_s: the length of
    the arrival schedule. Then the window is as long as that and begins with the schedule, both moved by the lowest
    latency, since nothing can be answered earlier.
    """
    if not len(samples):
        return None
    answered = samples.status == OK
    start_ns, end_ns = samples.window_ns or (int(samples.scheduled_ns.min()), int(samples.done_ns.max()))
    if offered_s is not None:
        least_ns = (
            int(samples.latency_ns[answered].min(initial=np.iinfo(np.int64).max)) if answered.any() else 0
        )
        end_ns = start_ns + int(offered_s * 1e9) + least_ns
        window_s = offered_s
    else:
        window_s = (end_ns - start_ns) / 1e9
    if window_s <= 0:
        return None
    return float(np.count_nonzero(answered & (samples.done_ns <= end_ns)) / window_s)


def clients_busy_share(samples: Samples) -> float | None:
    """Share of the requests that found every client in the engine when they fell due; None where it is not known.

    They wait for the engine, which counts in their latency and not as our lateness.
    """
    if samples.free_ns is None or not len(samples):
        return None
    return float(np.mean(samples.free_ns > samples.scheduled_ns))


def answer_counts(judged: Judged) -> dict[str, float | None]:
    """What was wrong with the answers judged: hits of each kind, then answers of each kind."""
    counts: dict[str, Any] = {
        "judged_queries": np.count_nonzero(~np.isnan(judged.recall)),
        "violations": judged.violations.sum(),
        "ghosts": judged.ghosts.sum(),
        "unknown_ids": judged.unknown.sum(),
        "duplicates": judged.duplicates.sum(),
        "short_results": judged.short.sum(),
        "overlong": judged.overlong.sum(),
        "unordered": judged.unordered.sum(),
        "wrong_scores": judged.wrong_scores.sum(),
    }
    return {name: float(count) for name, count in counts.items()}


def _request_counts(samples: Samples) -> dict[str, float | None]:
    counts: dict[str, Any] = {
        "queries": len(samples),
        "distinct_queries": len(np.unique(samples.query)),
        "rechecked_answers": samples.rechecked,
        "changed_answers": samples.changed,
        "errors": np.count_nonzero(samples.status == ERROR),
        "timeouts": np.count_nonzero(samples.status == TIMEOUT),
        "abandoned": samples.abandoned,
    }
    return {name: float(count) for name, count in counts.items()}
