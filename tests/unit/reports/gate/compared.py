"""A run compared with its baseline, and findings looked up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.results.result import Measurement
from reports.gate.compare import compare
from reports.gate.findings import Finding, GateReport
from tests.unit.example_results import ENGINES, build, edit, with_metrics

TWO = {name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}


Change = Callable[[Measurement], Measurement | None]


def gate(change: Change | None = None, **options: Any) -> GateReport:
    """A run against another of the same engines, with fresh noise and `change` applied to its cells."""
    known = {key: options.pop(key) for key in ("tolerance", "force", "run_offset") if key in options}
    current = build(seed=8, engines=TWO, **options)
    shape = {key: options[key] for key in ("arrivals", "trials", "noise") if key in options}
    baseline = build(seed=7, engines=TWO, **shape).model_copy(update={"name": "baseline"})
    return compare([baseline], edit(current, change) if change else current, **known)


def found(report: GateReport, *verdicts: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.verdict in verdicts]


def closed_loop(cell: Measurement) -> bool:
    return cell.engine == "qdrant" and cell.executor == "closed_loop"


def scaled(cell: Measurement, metric: str, factor: float) -> Measurement:
    value = cell.metrics[metric]
    assert value is not None
    return with_metrics(cell, **{metric: value * factor})
