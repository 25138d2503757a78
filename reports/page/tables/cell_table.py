"""The tables of cells, one for each kind of task. Of a large run they show what failed or is flagged first; every cell
is in the CSV file beside the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """The cells of a kind of task. head: those of `HEAD` that tell anything here. left_out: sentences on metrics that
    have no column, as every cell has the same of them: no value, with why, or 0. count: all cells, of which
    rows may be a part.
    """

    title: str
    head: tuple[str, ...]
    metrics: tuple[str, ...]
    left_out: tuple[str, ...]
    rows: tuple[CellRow, ...]
    count: int


HEAD = ("task", "filter", "settings", "load", "trial")


def cell_tables(cells: Sequence[Measurement], most: int = MOST_CELLS) -> list[CellTable]:
    """One table a kind of task, columns for the metrics that tell cells apart; at most `most` rows each."""
    by_kind: dict[str, list[Measurement]] = {}
    for cell in cells:
        by_kind.setdefault(cell.kind, []).append(cell)
    tables = []
    for kind, own in by_kind.items():
        shown = own if len(own) <= most else sorted(own, key=_urgency)[:most]
        named = sorted(dict.fromkeys(metric for cell in own for metric in cell.metrics), key=place)
        values = {metric: {cell.metrics.get(metric) for cell in own} for metric in named}
        metrics = [metric for metric in named if values[metric] not in ({None}, {0.0})]
        heads = [_head(cell) for cell in shown]
        told = [number for number in range(len(HEAD)) if any(head[number] for head in heads)]
        tables.append(
            CellTable(
                title=_TITLES.get(kind, kind),
                head=tuple(HEAD[number] for number in told),
                metrics=tuple(spec(metric).heading for metric in metrics),
                left_out=_left_out(own, values),
                rows=tuple(
                    _row(cell, tuple(head[number] for number in told), metrics)
                    for cell, head in zip(shown, heads, strict=True)
                ),
                count=len(own),
            )
        )
    return tables


def _left_out(cells: Sequence[Measurement], values: Mapping[str, set[float | None]]) -> tuple[str, ...]:
    """`0 in each of these cells: errors.`, `Without a value in any of these cells: disk (not measured here).`"""
    zero = [spec(metric).label for metric, found in values.items() if found == {0.0}]
    causes: dict[tuple[str, ...], list[str]] = {}
    for metric in (metric for metric, found in values.items() if found == {None}):
        reasons = tuple(dict.fromkeys(cell.reasons[metric] for cell in cells if metric in cell.reasons))
        causes.setdefault(reasons, []).append(spec(metric).label)
    empty = [
        ", ".join(labels) + (f" ({_first(reasons)})" if reasons else "") for reasons, labels in causes.items()
    ]
    told = [f"0 in each of these cells: {', '.join(zero)}."] if zero else []
    return (*told, *([f"Without a value in any of these cells: {'; '.join(empty)}."] if empty else []))


def _first(reasons: Sequence[str]) -> str:
    more = len(reasons) - 1
    return f"{reasons[0]}{f'; {more} more reasons in cells.csv' if more else ''}"


def _urgency(cell: Measurement) -> int:
    """Failed cells come first, then flagged ones."""
    return 0 if cell.error is not None else 1 if cell.flags else 2


def _head(cell: Measurement) -> tuple[str, ...]:
    """As `HEAD`; empty where a kind of task has no such thing."""
    load = cell.params.get("load", {})
    clients = load.get("clients")
    texts = (
        load_text(load),
        f"{clients} client{'s' if clients != 1 else ''}" if clients else "",
    )
    return (
        cell.task,
        cell.filter if cell.kind == "search" else "",
        settings(cell.params.get("index", {}), cell.params.get("search", {})),
        " ".join(filter(None, texts)),
        str(cell.trial + 1),
    )


def _row(cell: Measurement, head: tuple[str, ...], metrics: Sequence[str]) -> CellRow:
    remarks = [*([cell.error] if cell.error else []), *cell.flags, *_reasons(cell, metrics)]
    kind = "failed" if cell.error else "flagged" if cell.flags else "ok"
    return CellRow(
        cell.engine, head, tuple(_value(cell, metric) for metric in metrics), "; ".join(remarks), kind
    )


def _reasons(cell: Measurement, metrics: Sequence[str]) -> list[str]:
    """Why values of these columns are missing, metrics with the same reason together."""
    causes: dict[str, list[str]] = {}
    for metric, reason in cell.reasons.items():
        if metric in metrics:
            causes.setdefault(reason, []).append(spec(metric).label)
    return [f"no {', '.join(labels)}: {reason}" for reason, labels in causes.items()]


def _value(cell: Measurement, metric: str) -> str:
    value = cell.metrics.get(metric)
    if value is None:
        return "–"
    return figure(metric, value)
