"""Recommenders side by side on the same cases: every figure with its interval, every difference with its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from harness.errors import ConfigurationError
from harness.progress import Progress, silent
from harness.results.stats import Comparison, Interval
from models.data.split import Cases
from models.evaluation.cells import Cell, Plan, Table
from models.evaluation.figures import OF_ALL, OF_CASES, Figure, Whole, case_figures, whole_figures
from models.evaluation.intervals import (
    compare_means,
    compare_wholes,
    share_interval,
    whole_interval,
)
from models.evaluation.popularity import Popularity
from models.evaluation.recommender import Recommender, require_sound
from models.evaluation.slices import Slice, all_of, slices

Int32 = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def evaluate(
    recommenders: Mapping[str, Recommender],
    cases: Cases,
    popularity: Popularity,
    plan: Plan,
    *,
    preferences: Bools | None = None,
    progress: Progress = silent,
) -> Table:
    """Asks every recommender for max(ks) items a case and tabulates the answers, see `tabulate`."""
    _require(recommenders, plan)
    answers: dict[str, Int32] = {}
    for done, (name, recommender) in enumerate(recommenders.items()):
        progress(f"asking {name}", done, len(recommenders))
        answers[name] = recommender.recommend(cases, max(plan.ks))
    return tabulate(answers, cases, popularity, plan, preferences=preferences, progress=progress)


def tabulate(
    answers: Mapping[str, Int32],
    cases: Cases,
    popularity: Popularity,
    plan: Plan,
    *,
    preferences: Bools | None = None,
    apart: bool = True,
    progress: Progress = silent,
) -> Table:
    """The figures of answers (int32[c, max(ks)] by recommender) over all cases and, with `apart`, over each slice.

    preferences: see `slices`. Equal arguments give an equal table. Figures of the whole, such as coverage, depend on
    the number of cases and are given for all cases only. Raises ConfigurationError for a reference that is no
    recommender or a k below 1, MeasurementError for answers that break a rule.
    """
    _require(answers, plan)
    for name, own in answers.items():
        require_sound(name, own, cases, len(popularity), least=max(plan.ks))
    parts = (all_of(cases), *(slices(cases, popularity, preferences) if apart else ()))
    cells: list[Cell] = []
    for number, part in enumerate(parts):
        progress("intervals", number, len(parts))
        rng = np.random.default_rng([plan.seed, number])
        figures = {
            name: case_figures(own[part.rows], part.cases, popularity, plan.ks)
            for name, own in answers.items()
        }
        cells += _of_cases(figures, part, plan, rng)
    wholes = {name: whole_figures(own, cases, len(popularity), plan.ks) for name, own in answers.items()}
    cells += _of_all(wholes, parts[0], plan)
    progress("intervals", len(parts), len(parts))
    labels = {part.name: (part.label, len(part.rows)) for part in parts}
    return Table(plan, len(cases), len(popularity), labels, tuple(cells))


def _require(recommenders: Mapping[str, object], plan: Plan) -> None:
    problems = []
    if plan.reference not in recommenders:
        names = ", ".join(recommenders)
        problems.append(f"reference: no recommender is called '{plan.reference}'; name one of {names}")
    if not plan.ks or min(plan.ks) < 1:
        problems.append(f"ks: must be at least one number from 1 up, got {list(plan.ks)}")
    if problems:
        raise ConfigurationError(problems)


def _of_cases(
    figures: Mapping[str, Mapping[str, Floats]], part: Slice, plan: Plan, rng: np.random.Generator
) -> list[Cell]:
    """The cells of one slice. All means and differences share their resamples."""
    wanted = [(name, figure, k) for name in figures for k in plan.ks for figure in OF_CASES]
    columns: dict[tuple[str, Figure, int, bool], Floats] = {}
    for name, figure, k in wanted:
        values = figures[name][figure.at(k)]
        if not figure.share:
            columns[name, figure, k, False] = values
        if name != plan.reference:
            columns[name, figure, k, True] = values - figures[plan.reference][figure.at(k)]
    bounded = np.array([figure.share for _, figure, _, _ in columns])
    stacked = np.stack(list(columns.values()), axis=1)
    compared = dict(
        zip(
            columns,
            compare_means(stacked, rng, bounded=bounded, draws=plan.draws, level=plan.level),
            strict=True,
        )
    )
    return [
        Cell(
            name,
            part.name,
            figure.name,
            k,
            int(np.count_nonzero(~np.isnan(figures[name][figure.at(k)]))),
            part.few,
            _as_interval(compared[name, figure, k, False])
            if not figure.share
            else share_interval(figures[name][figure.at(k)], plan.level),
            compared.get((name, figure, k, True)),
        )
        for name, figure, k in wanted
    ]


def _as_interval(mean: Comparison) -> Interval:
    return Interval(mean.change, mean.low, mean.high, mean.level)


def _of_all(wholes: Mapping[str, Mapping[str, Whole]], part: Slice, plan: Plan) -> list[Cell]:
    cells = []
    for name, own in wholes.items():
        for k, figure in ((k, figure) for k in plan.ks for figure in OF_ALL):
            whole, other = own[figure.at(k)], wholes[plan.reference][figure.at(k)]
            difference = None if name == plan.reference else compare_wholes(other, whole, plan.level)
            value = whole_interval(whole, plan.level)
            cells.append(Cell(name, part.name, figure.name, k, len(part.rows), part.few, value, difference))
    return cells
