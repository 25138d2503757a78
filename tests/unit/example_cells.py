"""Made-up cells with the metrics that measured ones have."""

# ruff: noqa: PLR0917  a made-up cell takes what a measured one depends on
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.results.result import Measurement


def index_cell(base, index, rate, noise, rng) -> Measurement:  # type: ignore[no-untyped-def]
    vectors_per_s = _vary(20 * rate**0.7, noise, rng)
    metrics: dict[str, float | None] = {
        "index_vectors_per_s": vectors_per_s,
        "index_s": 20_000 / vectors_per_s * 0.8,
        "ready_s": 20_000 / vectors_per_s * 0.2,
        "cpu_s": 20_000 / vectors_per_s * 1.6,
        "rss_peak_bytes": _vary(9e7, 0.02, rng),
        "rss_bytes": _vary(7e7, 0.02, rng),
        "disk_bytes": None if base["adapter"] == "faiss" else 8.1e7,
    } | _machine(rng)
    reasons = {"disk_bytes": "the engine keeps nothing on disk"} if base["adapter"] == "faiss" else {}
    return Measurement(
        **base, task="index", kind="index", params={"index": index}, metrics=metrics, reasons=reasons
    )


def closed_cell(base, index, search, name, level, qps, noise, rng) -> Measurement:  # type: ignore[no-untyped-def]
    qps = _vary(qps, noise, rng)
    requests = max(round(qps * 0.4), 3)
    metrics, reasons = _latencies(qps, requests, 1.0)
    metrics |= {
        **_recalls(min(level + float(rng.normal(0, 0.0004)), 1.0) if level < 1 else 1.0),
        "throughput_qps": qps,
        "queries": float(requests),
        "cpu_s": requests / qps,
        "cpu_s_per_1000": 1000 / qps,
    } | _machine(rng)
    load = {"executor": "closed_loop", "clients": 1, "processes": 1, "rate": None, "arrivals": None}
    return _search_cell(
        base, {"index": index, "search": search, "load": load}, name, "closed_loop", metrics, reasons
    )


def arrival_cell(base, index, search, name, offered, level, top, noise, rng) -> Measurement:  # type: ignore[no-untyped-def]
    busy = offered / top
    stretch = 1 / (1 - busy) if busy < 0.95 else 20 * busy
    served = min(offered, top)
    metrics, reasons = _latencies(_vary(top, noise, rng), served, _vary(stretch, noise, rng))
    metrics |= {
        **_recalls(level),
        "throughput_qps": _vary(served, 0.01, rng),
        "offered_qps": _vary(offered, 0.01, rng),
        "queries": offered,
        "lateness_p50_us": _vary(40, 0.1, rng),
        "lateness_p99_us": _vary(180, 0.2, rng),
    } | _machine(rng)
    load = {"executor": "arrival_rate", "clients": 2, "processes": 1, "rate": offered, "arrivals": "poisson"}
    return _search_cell(
        base, {"index": index, "search": search, "load": load}, name, "arrival_rate", metrics, reasons
    )


def saturation_cell(base, index, search, name, share, level, top, noise, rng) -> Measurement:  # type: ignore[no-untyped-def]
    """At a share of what the engine can answer; beyond it queries queue until they time out."""
    cell = arrival_cell(base, index, search, name, share * top, level, top, noise, rng)
    load = {"executor": "saturation", "clients": 2, "share": share, "arrivals": "poisson"}
    return cell.model_copy(
        update={
            "task": "saturation",
            "executor": "saturation",
            "params": cell.params | {"load": load},
            "metrics": cell.metrics | {"timeouts": 50.0 if share > 1 else 0.0},
        }
    )


def updates_cell(base, index, level, rng) -> Measurement:  # type: ignore[no-untyped-def]
    metrics: dict[str, float | None] = {
        "upserts_per_s": _vary(4000, 0.1, rng),
        "deletes_per_s": _vary(9000, 0.1, rng),
        "ready_s": _vary(0.4, 0.1, rng),
        **_recalls(level),
        "queries": 300.0,
        "violations": 0.0,
        "ghosts": 0.0,
        "duplicates": 0.0,
        "short_results": 0.0,
        "probes": 120.0,
        "freshness_p50_ms": _vary(1.2, 0.1, rng),
        "freshness_p90_ms": _vary(2.1, 0.1, rng),
        "freshness_p99_ms": None,
        "staleness_p50_ms": _vary(1.1, 0.1, rng),
        "staleness_p90_ms": _vary(1.9, 0.1, rng),
        "staleness_p99_ms": None,
    } | _machine(rng)
    few = "120 requests are too few, 1000 are needed"
    return Measurement(
        **base,
        task="updates",
        kind="updates",
        params={"index": index},
        metrics=metrics,
        reasons={"freshness_p99_ms": few, "staleness_p99_ms": few},
    )


def recall_at(base: float, step: int, share: float, label: str) -> float:
    loss = (1 - base) / 3.0**step
    if label == "faiss-hnsw":
        loss *= 1 + 0.4 * np.log10(1 / share)
    return float(1 - min(loss, 0.6))


def speed_under(label: str, share: float) -> float:
    steps = np.log10(1 / share)
    return float({"qdrant": 1 - 0.12 * steps, "faiss-ivf": 1 + 0.3 * steps}.get(label, 1 - 0.05 * steps))


def _recalls(level: float) -> dict[str, float | None]:
    """A recall with its spread over the queries: twice that of ten hits that are found or not independently."""
    return {"recall_at_10": level, "recall_sd": 2 * float(np.sqrt(level * (1 - level) / 10))}


def _vary(value: float, noise: float, rng: np.random.Generator) -> float:
    return float(value * np.exp(rng.normal(0, noise)))


def _machine(rng: np.random.Generator) -> dict[str, float | None]:
    return {
        "steal_share": float(rng.uniform(0, 0.02)),
        "oversleep_p99_us": float(rng.uniform(60, 120)),
        "oversleep_max_us": float(rng.uniform(400, 4000)),
    }


def _latencies(qps: float, requests: float, stretch: float) -> tuple[dict[str, float | None], dict[str, str]]:
    metrics: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for name, beyond, times in (("p50", 0.5, 0.9), ("p90", 0.1, 1.4), ("p95", 0.05, 1.7), ("p99", 0.01, 2.6)):
        for kind in ("latency", "service_time") if name in ("p50", "p99") else ("latency",):
            metric = f"{kind}_{name}_ms"
            enough = requests * beyond >= 10
            factor = times * (stretch if kind == "latency" else 1)
            metrics[metric] = 1000 / qps * factor if enough else None
            if not enough:
                reasons[metric] = f"{requests:.0f} requests are too few, {10 / beyond:.0f} are needed"
    metrics["latency_max_ms"] = 1000 / qps * 6.0 * stretch
    return metrics, reasons


def _search_cell(
    base: Mapping[str, Any],
    params: dict[str, dict[str, Any]],
    name: str,
    executor: str,
    metrics: dict[str, float | None],
    reasons: dict[str, str],
) -> Measurement:
    task = "throughput" if executor == "closed_loop" else "offered-load"
    counts = dict.fromkeys(("violations", "ghosts", "duplicates", "short_results", "errors", "timeouts"), 0.0)
    return Measurement(
        **base,
        task=task,
        kind="search",
        filter=name,
        executor=executor,
        params=params,
        metrics=counts | metrics,
        reasons=reasons,
    )
