"""What approximation costs at each operating point: recall against exact, hits lost, and the figures beside exact's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.oracle.exact import Truth
from models.evaluation.approximate import Loss, loss
from models.evaluation.cells import Cell, Plan
from models.evaluation.neighbours import Neighbours
from models.evaluation.table import tabulate
from models.retrieval.held_out import HeldOut
from models.retrieval.received import Filters, Received, neighbours, received, without_history

EXACT = "exact"
Int64 = npt.NDArray[np.int64]
Cells = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One engine at one operating point under one filter. cells: its figures, each beside exact search's."""

    received: Received
    loss: Loss
    cells: Cells


@dataclass(frozen=True, slots=True)
class Judged:
    """Exact search and engines under one filter. points: by name. matches: int64[c], listings that each filter lets
    through.
    """

    exact: Neighbours
    cells: Cells
    points: Mapping[str, Point]
    matches: Int64


def exact_answers(held: HeldOut, truth: Truth, k: int) -> Neighbours:
    """The k nearest listings outside each user's history. truth: the oracle's, for the most hits that are asked for."""
    found = without_history(truth.ids.astype(np.int32), held.cases.histories, k)
    return neighbours(found, held.dataset)


def judge_points(
    held: HeldOut, filters: Filters, truth: Truth, answers: Mapping[str, Int64], k: int, *, seed: int = 0
) -> Judged:
    """Every engine's answers (int64[c, w] by the point's name) to the same users under the same filters.

    A figure or a loss does not depend on which other points are judged with it.
    """
    exact = exact_answers(held, truth, k)
    got = {name: received(ids, held, filters, k) for name, ids in answers.items()}
    shown = {EXACT: exact.items} | {name: each.answers for name, each in got.items()}
    plan = Plan((k,), EXACT, seed=seed)
    table = tabulate(shown, held.cases, held.popularity, plan, apart=False)
    points = {
        name: Point(
            each,
            loss(
                exact,
                neighbours(each.answers, held.dataset),
                held.cases.targets,
                np.random.default_rng([seed, len(held.cases)]),
                draws=plan.draws,
                level=plan.level,
            ),
            _of(table.cells, name),
        )
        for name, each in got.items()
    }
    return Judged(exact, _of(table.cells, EXACT), points, truth.matches)


def _of(cells: Sequence[Cell], name: str) -> Cells:
    return tuple(cell for cell in cells if cell.recommender == name)


def plain_figures(cells: Cells) -> dict[str, Any]:
    """Figures by name as plain values: value, low, high, and the difference from exact search where there is one."""
    plain = {}
    for cell in cells:
        held = cell.to_json()
        kept = ("value", "low", "high", "cases", "difference")
        plain[cell.figure] = {key: held[key] for key in kept if held[key] is not None or key != "difference"}
    return plain
