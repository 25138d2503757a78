"""The tables of cells, one for each kind of task. Of a large run they show what failed or is flagged first; every cell
is in the CSV file beside the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.results.metrics import place, spec
from harness.results.result import Measurement
from reports.wording import figure, load_text, settings

_TITLES = {"index": "Indexing", "search": "Searches", "updates": "Updates", "durability": "Durability"}
MOST_CELLS = 500  # rows of one table: a page with many thousands takes browsers minutes


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
    """The cells of a kind of task; count: all of them, of which rows may be a part."""

    title: str
    metrics: tuple[str, ...]
    rows: tuple[CellRow, ...]
    count: int


HEAD = ("task", "filter", "settings", "load", "trial")


def cell_tables(cells: Sequence[Measurement], most: int = MOST_CELLS) -> list[CellTable]:
    """One table a kind of task, columns for every metric that occurs in it; at most `most` rows each."""
    by_kind: dict[str, list[Measurement]] = {}
    for cell in cells:
        by_kind.setdefault(cell.kind, []).append(cell)
    tables = []
    for kind, own in by_kind.items():
        shown = own if len(own) <= most else sorted(own, key=_urgency)[:most]
        metrics = sorted(dict.fromkeys(metric for cell in shown for metric in cell.metrics), key=place)
        headings = tuple(spec(metric).heading for metric in metrics)
        rows = tuple(_row(cell, metrics) for cell in shown)
        tables.append(CellTable(_TITLES.get(kind, kind), headings, rows, len(own)))
    return tables


def _urgency(cell: Measurement) -> int:
    """Failed cells come first, then flagged ones."""
    return 0 if cell.error is not None else 1 if cell.flags else 2


def _row(cell: Measurement, metrics: Sequence[str]) -> CellRow:
    load = cell.params.get("load", {})
    clients = load.get("clients")
    texts = (
        load_text(load),
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
