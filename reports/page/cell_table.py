"""The table of every cell, one for each kind of task: nothing measured or failed is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.results.metrics import place, spec
from harness.results.result import Measurement
from reports.wording import figure, settings

_TITLES = {"index": "Indexing", "search": "Searches", "updates": "Updates"}


@dataclass(frozen=True, slots=True)
class CellRow:
    """One cell as texts. kind: ok, flagged or failed."""

    engine: str
    head: tuple[str, ...]
    values: tuple[str, ...]
    remark: str
    kind: str


@dataclass(frozen=True, slots=True)
class CellTable:
    """All cells of a kind of task."""

    title: str
    metrics: tuple[str, ...]
    rows: tuple[CellRow, ...]


HEAD = ("task", "filter", "settings", "load", "trial")


def cell_tables(cells: Sequence[Measurement]) -> list[CellTable]:
    """One table a kind of task, columns for every metric that occurs in it."""
    tables = []
    for kind in dict.fromkeys(cell.kind for cell in cells):
        own = [cell for cell in cells if cell.kind == kind]
        metrics = sorted(dict.fromkeys(metric for cell in own for metric in cell.metrics), key=place)
        rows = tuple(_row(cell, metrics) for cell in own)
        tables.append(
            CellTable(_TITLES.get(kind, kind), tuple(spec(metric).heading for metric in metrics), rows)
        )
    return tables


def _row(cell: Measurement, metrics: Sequence[str]) -> CellRow:
    load = cell.params.get("load", {})
    rate = load.get("rate")
    clients = load.get("clients")
    texts = (
        f"{rate:,g}/s" if rate is not None else "",
        f"{clients} client{'s' if clients != 1 else ''}" if clients else "",
    )
    head = (
        cell.task,
        cell.filter if cell.kind == "search" else "",
        settings(cell.params.get("index", {}), cell.params.get("search", {})),
        " ".join(filter(None, texts)),
        str(cell.trial + 1),
    )
    remarks = [*([cell.error] if cell.error else []), *cell.flags, *_reasons(cell)]
    kind = "failed" if cell.error else "flagged" if cell.flags else "ok"
    return CellRow(
        cell.engine, head, tuple(_value(cell, metric) for metric in metrics), "; ".join(remarks), kind
    )


def _reasons(cell: Measurement) -> list[str]:
    """Why values are missing, metrics with the same reason together."""
    causes: dict[str, list[str]] = {}
    for metric, reason in cell.reasons.items():
        causes.setdefault(reason, []).append(spec(metric).label)
    return [f"no {', '.join(labels)}: {reason}" for reason, labels in causes.items()]


def _value(cell: Measurement, metric: str) -> str:
    value = cell.metrics.get(metric)
    if value is None:
        return "–"
    return figure(metric, value)
