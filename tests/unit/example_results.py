"""Made-up run results in the shape and of the size that real runs have, for testing what is computed from them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.results.result import Measurement, RunResult
from tests.unit.example_cells import (
    arrival_cell,
    closed_cell,
    index_cell,
    recall_at,
    saturation_cell,
    speed_under,
    updates_cell,
)

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
SHARES = (0.25, 0.5, 0.9, 1.2)
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
    saturation: bool = False,
    speed: Mapping[str, float] | None = None,
) -> RunResult:
    """A finished run. speed: factor by which an engine (by label) is faster than usual."""
    rng = np.random.default_rng(seed)
    cells: list[Measurement] = []
    for trial, label in itertools.product(range(trials), engines):
        adapter, index, grid, qps, recall = engines[label]
        base = {"engine": label, "adapter": adapter, "trial": trial}
        rate = qps * (speed or {}).get(label, 1.0)
        cells.append(index_cell(base, index, rate, noise, rng))
        settings = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
        for (step, search), (name, share) in itertools.product(enumerate(settings), filters.items()):
            level = recall_at(recall, step, share, label)
            speed_here = rate / 2.2**step * speed_under(label, share)
            cells.append(closed_cell(base, index, search, name, level, speed_here, noise, rng))
        point = settings[min(1, len(settings) - 1)]
        if arrivals:
            for name, offered in itertools.product(list(filters)[:2], RATES):
                top = rate / 2.2 * speed_under(label, filters[name])
                level = recall_at(recall, settings.index(point), filters[name], label)
                cells.append(arrival_cell(base, index, point, name, offered, level, top, noise, rng))
        if saturation:
            name, share = next(iter(filters.items()))
            level, top = recall_at(recall, settings.index(point), share, label), rate / 2.2
            cells += [
                saturation_cell(base, index, point, name, part, level, top, noise, rng) for part in SHARES
            ]
        cells.append(updates_cell(base, index, recall_at(recall, settings.index(point), 1.0, label), rng))
    scenario = _scenario(
        engines,
        filters,
        trials=trials,
        requirements=requirements,
        objective=objective,
        arrivals=arrivals,
    )
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


def _scenario(engines, filters, *, trials, requirements, objective, arrivals) -> dict[str, Any]:  # type: ignore[no-untyped-def]
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
