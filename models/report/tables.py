"""The model beside the baselines: over all test cases, and over cases apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.evaluation.cells import Cell, Table
from models.evaluation.figures import BIAS, COVERAGE, HIT, NDCG, NOVELTY, RECALL, Figure
from models.report.figures import NONE, Shown, advantage, called, shown, standing

FIGURES = (RECALL, NDCG, HIT, COVERAGE, BIAS, NOVELTY)
_MARKS = {1: "▲", -1: "▼", 0: ""}  # of a recommender beside the model
_NOTHING = Shown(NONE, "")


@dataclass(frozen=True, slots=True)
class Row:
    """A recommender, or a slice, with its figures. ours: whether it is the model's.

    marks: one a figure, whether it is surely above the model's (▲) or below (▼).
    """

    name: str
    ours: bool
    figures: tuple[Shown, ...]
    marks: tuple[str, ...]
    cases: int = 0
    few: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """The figures at one k."""

    k: int
    headings: tuple[str, ...]
    rows: tuple[Row, ...]


def meanings() -> tuple[tuple[str, str], ...]:
    """What each figure says."""
    return tuple((figure.label, figure.meaning) for figure in FIGURES)


def recommenders(table: Table) -> tuple[str, ...]:
    """All of them, the model first."""
    names = dict.fromkeys([table.plan.reference, *(cell.recommender for cell in table.cells)])
    return tuple(names)


def figure_tables(table: Table) -> tuple[Block, ...]:
    """A table for each k; of each baseline also how far the model is above it in recall."""
    return tuple(_block(table, k) for k in table.plan.ks)


def _block(table: Table, k: int) -> Block:
    rows = []
    for name in recommenders(table):
        cells = [_cell(table, name, figure, k) for figure in FIGURES]
        recall = cells[0]
        beside = _NOTHING
        if recall is not None and recall.difference is not None:
            beside = advantage(RECALL.name, recall.difference)
        values = [_value(figure, cell) for figure, cell in zip(FIGURES, cells, strict=True)]
        marks = [_mark(figure, cell) for figure, cell in zip(FIGURES, cells, strict=True)]
        rows.append(
            Row(
                called(name),
                name == table.plan.reference,
                (values[0], beside, *values[1:]),
                (marks[0], "", *marks[1:]),
            )
        )
    labels = [figure.label.removesuffix("@k") for figure in FIGURES]
    return Block(k, (labels[0], "the model's lead", *labels[1:]), tuple(rows))


def slice_rows(table: Table) -> tuple[Row, ...]:
    """Recall at the first k of every recommender over all cases and over each slice; `-` where it has no cases."""
    k, names = table.plan.ks[0], recommenders(table)
    rows = []
    for part, (label, count) in table.slices.items():
        cells = [_cell(table, name, RECALL, k, part) for name in names]
        rows.append(
            Row(
                label,
                part == "all",
                tuple(_value(RECALL, cell) for cell in cells),
                tuple(_mark(RECALL, cell) for cell in cells),
                count,
                _few(cells),
            )
        )
    return tuple(rows)


def _few(cells: Sequence[Cell | None]) -> bool:
    return any(cell is not None and cell.few for cell in cells)


def _cell(table: Table, name: str, figure: Figure, k: int, part: str = "all") -> Cell | None:
    try:
        return table.cell(name, figure.name, k, part)
    except KeyError:
        return None


def _value(figure: Figure, cell: Cell | None) -> Shown:
    return _NOTHING if cell is None else shown(figure.name, cell.value)


def _mark(figure: Figure, cell: Cell | None) -> str:
    """Only where more is better: neither bias nor novelty nor coverage is good or bad in itself."""
    if cell is None or figure not in (RECALL, NDCG, HIT):
        return ""
    return _MARKS[standing(cell.difference)]
