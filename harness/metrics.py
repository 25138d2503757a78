"""From samples to the figures of a search cell (docs/metrics.md); pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.samples import ERROR, OK, TIMEOUT, Samples

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_BEYOND = 10  # samples that must lie beyond a percentile for it to be reported
_LATENCY = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
_FEW = {"p50": 0.5, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Judged:
    """What each of n requests' answers was worth.

    recall: float64[n], NaN where the request was not answered. violations, ghosts, duplicates: int64[n], hits
    of that kind. short: bool[n], fewer than min(k, matching items) hits. All are 0 where not answered.
    """

    recall: Floats
    violations: Ints
    ghosts: Ints
    duplicates: Ints
    short: Bools


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


def judge(
    *,
    answered: Bools,
    ids: Ints,
    lengths: Ints,
    exists: Bools,
    permitted: Bools,
    near: Bools,
    matches: Ints,
) -> Judged:
    """Scores n answers of up to k hits.

    answered: bool[n], the request succeeded. ids: int64[n, k]. lengths: int64[n], hits returned; those beyond
    k are ignored. exists, permitted, near: bool[n, k], whether the hit is a live item, matches the query's
    filter, and is no farther than the k-th true neighbour (a tie counts as near). matches: int64[n], items
    that match.

    recall = distinct hits that exist, are permitted and near, at most min(k, matches) of them, divided by
    min(k, matches). Where nothing matches: 1 for an empty answer, else 0. A hit is a ghost, a violation or
    neither, each distinct item counted once; further copies of it are duplicates.
    """
    k = ids.shape[1]
    returned = (np.arange(k) < lengths[:, None]) & answered[:, None]
    first = returned & ~_repeated(ids, returned)
    wanted = np.minimum(matches, k)
    correct = np.minimum(np.count_nonzero(first & exists & permitted & near, axis=1), wanted)
    some = np.count_nonzero(returned, axis=1)
    recall = np.divide(correct, wanted, out=(some == 0).astype(np.float64), where=wanted > 0)
    return Judged(
        recall=np.where(answered, recall, np.nan),
        violations=np.count_nonzero(first & exists & ~permitted, axis=1),
        ghosts=np.count_nonzero(first & ~exists, axis=1),
        duplicates=some - np.count_nonzero(first, axis=1),
        short=answered & (some < wanted),
    )


def _repeated(ids: Ints, returned: Bools) -> Bools:
    # Returned slots before the others, so that a padding value cannot pass for the first copy of a hit.
    order = np.lexsort((~returned, ids), axis=1)
    ranked = np.take_along_axis(ids, order, axis=1)
    repeated = np.zeros(ids.shape, dtype=np.bool_)
    np.put_along_axis(repeated, order[:, 1:], ranked[:, 1:] == ranked[:, :-1], axis=1)
    return repeated


def summarize(
    samples: Samples, judged: Judged, *, k: int, offered_s: float | None = None
) -> tuple[dict[str, float | None], dict[str, str]]:
    """The metrics of one search cell, and for each that is None the reason.

    offered_s: the length of the arrival schedule; None in a closed loop, which has neither an offered rate
    nor lateness.
    """
    answered = samples.status == OK
    metrics: dict[str, float | None] = {f"recall_at_{k}": None, "throughput_qps": None}
    reasons: dict[str, str] = {}
    if answered.any():
        metrics[f"recall_at_{k}"] = float(judged.recall[answered].mean())
    else:
        reasons[f"recall_at_{k}"] = "no request was answered"
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
