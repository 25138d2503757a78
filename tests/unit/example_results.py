"""Made-up run results in the shape and of the size that real runs have, for testing what is computed from them."""

# ruff: noqa: PLR0917  a made-up cell takes what a measured one depends on
from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.results.result import Measurement, RunResult

FILTERS = {"none": 1.0, "10pct": 0.1, "1pct": 0.01, "brand": 0.002}
# label: adapter, index parameters, search grid, queries/s at the first setting without a filter, recall there
ENGINES: dict[str, tuple[str, dict[str, Any], dict[str, list[Any]], float, float]] = {
    "faiss-hnsw": ("faiss", {"kind": "hnsw", "M": 16}, {"efSearch": [16, 64, 256]}, 11_000, 0.93),
    "faiss-ivf": ("faiss", {"kind": "ivf"}, {"nprobe": [4, 16, 64]}, 6_000, 0.88),
    "faiss-flat": ("faiss", {"kind": "flat"}, {}, 700, 1.0),
    "qdrant": ("qdrant", {}, {"hnsw_ef": [16, 64, 256]}, 1_700, 0.96),
    "milvus": ("milvus", {}, {}, 9, 0.995),
}
RATES = (50.0, 500.0)
REQUIREMENTS = ("recall >= 0.95", "violations == 0", "errors == 0")


def build(
    *,
    seed: int = 7,
    trials: int = 3,
    noise: float = 0.03,
    engines: Mapping[str, tuple[str, dict[str, Any], dict[str, list[Any]], float, float]] = ENGINES,
    filters: Mapping[str, float] = FILTERS,
    requirements: tuple[str, ...] = REQUIREMENTS,
    objective: str = "max throughput_qps",
    arrivals: bool = True,
    speed: Mapping[str, float] | None = None,
) -> RunResult:
    """A finished run. speed: factor by which an engine (by label) is faster than usual."""
    rng = np.random.default_rng(seed)
    cells: list[Measurement] = []
    for trial, label in itertools.product(range(trials), engines):
        adapter, index, grid, qps, recall = engines[label]
        base = {"engine": label, "adapter": adapter, "trial": trial}
        rate = qps * (speed or {}).get(label, 1.0)
        cells.append(_index_cell(base, index, rate, noise, rng))
        settings = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
        for (step, search), (name, share) in itertools.product(enumerate(settings), filters.items()):
            level = _recall(recall, step, share, label)
            speed_here = rate / 2.2**step * _filtered(label, share)
            cells.append(_closed(base, index, search, name, level, speed_here, noise, rng))
        point = settings[min(1, len(settings) - 1)]
        if arrivals:
            for name, offered in itertools.product(list(filters)[:2], RATES):
                top = rate / 2.2 * _filtered(label, filters[name])
                level = _recall(recall, settings.index(point), filters[name], label)
                cells.append(_arrival(base, index, point, name, offered, level, top, noise, rng))
        cells.append(_updates_cell(base, index, _recall(recall, settings.index(point), 1.0, label), rng))
    scenario = _scenario(engines, filters, trials, requirements, objective, arrivals)
    return RunResult(
        name="quick-20260101-120000",
        started_at="2026-01-01T12:00:00+00:00",
        finished_at="2026-01-01T12:04:30+00:00",
        environment=_environment(),
        dataset=_dataset(filters),
        scenario=scenario,
        engines={label: {"version": "1.2.3", "capabilities": {"delete": True}} for label in engines},
        measurements=cells,
    )


def edit(result: RunResult, change: Any) -> RunResult:
    """The result with `change(cell)` in place of each cell; None drops it."""
    cells = [changed for cell in result.measurements if (changed := change(cell)) is not None]
    return result.model_copy(update={"measurements": cells})


def with_metrics(
    cell: Measurement, reasons: dict[str, str] | None = None, **metrics: float | None
) -> Measurement:
    """The cell with some metrics replaced."""
    return cell.model_copy(
        update={"metrics": cell.metrics | metrics, "reasons": cell.reasons | (reasons or {})}
    )


def failed(cell: Measurement, error: str) -> Measurement:
    """The cell as a failed one."""
    return cell.model_copy(update={"metrics": {}, "error": error})


def realistic() -> RunResult:
    """A run with everything that goes wrong in real ones: errors, nulls, flags, violations, a missing ability."""

    def spoil(cell: Measurement) -> Measurement:
        if cell.engine == "milvus" and cell.kind == "updates" and cell.trial == 1:
            return failed(cell, "MilvusException: <code 1100> collection not loaded & cannot be searched")
        if cell.engine == "faiss-flat" and cell.kind == "updates":
            return failed(cell, "unsupported: it cannot delete items")
        if cell.engine == "faiss-ivf" and cell.filter == "brand" and cell.trial == 2:
            return cell.model_copy(update={"flags": ["steal 7.1%"]})
        if cell.engine == "qdrant" and cell.kind == "updates":
            return with_metrics(cell, ghosts=2.0)
        return cell

    result = edit(build(), spoil)
    post = [
        cell.model_copy(
            update={"engine": "faiss-hnsw-post", "metrics": _postfiltered(cell), "params": _post_params(cell)}
        )
        for cell in result.measurements
        if cell.engine == "faiss-hnsw" and cell.executor != "arrival_rate"
    ]
    scenario = dict(result.scenario)
    scenario["engines"] = [
        *scenario["engines"],
        {"engine": "faiss", "label": "faiss-hnsw-post", "index": {}, "search": {"filtering": "post"}},
    ]
    return result.model_copy(update={"measurements": result.measurements + post, "scenario": scenario})


def _post_params(cell: Measurement) -> dict[str, Any]:
    return cell.params | (
        {"search": cell.params["search"] | {"filtering": "post"}} if "search" in cell.params else {}
    )


def _postfiltered(cell: Measurement) -> dict[str, float | None]:
    """Post-filtering keeps the speed of an unfiltered search and loses what the filter takes away."""
    if cell.kind != "search" or cell.filter == "none":
        return cell.metrics
    share = FILTERS[cell.filter]
    return cell.metrics | {"recall_at_10": 0.95 * min(1.0, share * 3), "short_results": 400.0}


def _recall(base: float, step: int, share: float, label: str) -> float:
    loss = (1 - base) / 3.0**step
    if label == "faiss-hnsw":
        loss *= 1 + 0.4 * np.log10(1 / share)
    return float(1 - min(loss, 0.6))


def _filtered(label: str, share: float) -> float:
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


def _closed(base, index, search, name, level, qps, noise, rng) -> Measurement:  # type: ignore[no-untyped-def]
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


def _arrival(base, index, search, name, offered, level, top, noise, rng) -> Measurement:  # type: ignore[no-untyped-def]
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


def _index_cell(base, index, rate, noise, rng) -> Measurement:  # type: ignore[no-untyped-def]
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


def _updates_cell(base, index, level, rng) -> Measurement:  # type: ignore[no-untyped-def]
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


def _scenario(engines, filters, trials, requirements, objective, arrivals) -> dict[str, Any]:  # type: ignore[no-untyped-def]
    tasks: list[dict[str, Any]] = [
        {"task": "index", "name": "index", "batch_size": 5000},
        {"task": "search", "name": "throughput", "executor": "closed_loop", "clients": 1, "params": "all"},
    ]
    if arrivals:
        tasks.append(
            {
                "task": "search",
                "name": "offered-load",
                "executor": "arrival_rate",
                "clients": 2,
                "rate": list(RATES),
                "params": "operating_point",
            }
        )
    tasks.append({"task": "updates", "name": "updates", "upserts": 500, "deletes": 500, "batch_size": 100})
    return {
        "name": "quick",
        "description": "Filtered retrieval on a slice of the data",
        "dataset": "fashion-mnist",
        "rows": 20000,
        "queries": 2000,
        "k": 10,
        "seed": 0,
        "trials": trials,
        "engines": [
            {"engine": entry[0], "label": label, "index": entry[1], "search": entry[2]}
            for label, entry in engines.items()
        ],
        "filters": [{"name": name} for name in filters],
        "tasks": tasks,
        "decision": {"requirements": list(requirements), "objective": objective, "confidence": 0.9},
    }


def _environment() -> dict[str, Any]:
    return {
        "cpu": "AMD EPYC 7B13",
        "cores": 2,
        "memory_bytes": 8 * 2**30,
        "os": "Linux-6.1-x86_64",
        "python": "3.11.2",
        "packages": {"bakeoff": "0.1.0", "numpy": "2.4.0"},
        "fingerprint": "00c0ffee00c0ffee",
    }


def _dataset(filters: Mapping[str, float]) -> dict[str, Any]:
    return {
        "name": "fashion-mnist",
        "metric": "l2",
        "rows": 20000,
        "dim": 784,
        "queries": 2000,
        "fingerprint": "feedbeeffeedbeef",
        "description": "60,000 garment images as second-hand listings",
        "fields": [
            {"name": "category", "kind": "keyword", "origin": "real"},
            {"name": "brand", "kind": "keyword", "origin": "generated"},
            {"name": "price", "kind": "float", "origin": "generated"},
        ],
        "filters": [
            {
                "name": name,
                "selectivity_mean": share,
                "selectivity_min": share * 0.8,
                "selectivity_max": min(share * 1.2, 1.0),
                "distinct": 1 if name != "brand" else 180,
            }
            for name, share in filters.items()
        ],
    }
