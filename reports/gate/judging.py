"""The verdict on each figure: worse by more than the tolerance, beyond its noise?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from harness.results.metrics import spec
from reports.gate.figures import Figures, figures_of_cells, figures_over_cells, joined
from reports.gate.findings import Finding, FindingVerdict
from reports.gate.matching import Bools, Floats, MatchedCells
from reports.gate.noise import FALSE_ALARMS, losses
from reports.gate.tolerance import Tolerance, is_difference, margin

# Each of the two families of figures may have this share of the gate's false alarms; counts have the rest.
_LEVEL = 0.4 * FALSE_ALARMS
# A figure is inconclusive where noise could hide this much beyond the tolerance: a factor of two, or 0.05 of recall.
_HIDES_A_FACTOR = math.log(2)
_HIDES_RECALL = 0.05


@dataclass(frozen=True, slots=True)
class JudgedFigures:
    """The findings, and the standard deviation seen between the runs of the baseline by metric (with several runs)."""

    findings: list[Finding]
    between: dict[str, float]


def judge_figures(
    cells: MatchedCells, comparable: Bools, tolerance: Tolerance, offset: float, k: int
) -> JudgedFigures:
    """Findings on every figure that varies: over all cells of an engine's task, and cell by cell.

    Over all cells noise averages out and comparisons are few, so a change of the engine as a whole shows early; cell
    by cell shows what concerns one setting or filter only. Each of the two families is corrected for its number of
    comparisons; a figure of a task with one cell belongs to the first. A single figure that is part of a
    figure over all cells does not make the gate inconclusive by itself.
    """
    single, findings = figures_of_cells(cells, comparable, k)
    overall, covered = figures_over_cells(cells, single)
    overall_findings, between = _judged(cells, joined([overall, single.some(~covered)]), tolerance, offset)
    findings_of_cells, between_cells = _judged(cells, single.some(covered), tolerance, offset)
    findings += overall_findings
    findings += [replace(finding, decides=False) for finding in findings_of_cells]
    return JudgedFigures(findings, between | between_cells)


def _judged(
    cells: MatchedCells, figures: Figures, tolerance: Tolerance, offset: float
) -> tuple[list[Finding], dict[str, float]]:
    """One finding a figure of a family, and the deviation between baselines by metric.

    Recall is compared apart, for its noise has another unit.
    """
    found: list[Finding] = []
    between: dict[str, float] = {}
    recall = np.array([is_difference(metric) for metric in figures.metrics], dtype=np.bool_)
    for part in (figures.some(~recall), figures.some(recall)):
        loss = losses(part.worse, part.metrics, part.loads(cells), offset)
        found += _findings(cells, part, loss.loss, loss.half_width(len(figures), _LEVEL), tolerance)
        seen = zip(part.metrics, loss.between.tolist(), strict=True)
        between |= {name: value for name, value in seen if math.isfinite(value) and spec(name).timed}
    return found, between


def _findings(
    cells: MatchedCells, figures: Figures, losses: Floats, half_widths: Floats, tolerance: Tolerance
) -> list[Finding]:
    limits = {metric: margin(metric, tolerance(metric)) for metric in set(figures.metrics)}
    found = []
    for number, metric in enumerate(figures.metrics):
        loss, width, limit = float(losses[number]), float(half_widths[number]), limits[metric]
        finding = Finding(
            **figures.label(cells, number),
            metric=metric,
            verdict=_verdict(metric, loss, width, limit),
            baseline=float(figures.before[number]),
            current=float(figures.after[number]),
            change=_change(metric, loss),
            at_best=_change(metric, loss - width),
            at_worst=_change(metric, loss + width),
            caught=_change(metric, limit + width),
            over_cells=bool(figures.over_cells[number]),
        )
        found.append(finding)
    return found


def _verdict(metric: str, loss: float, width: float, limit: float) -> FindingVerdict:
    """width: the distance of the one-sided interval's end from the estimate."""
    rounding = 1e-9
    if loss - width > limit + rounding:
        return "regressed"
    if loss + width < -limit - rounding:
        return "improved"
    if loss + width <= limit + rounding:
        return "ok"
    # What does not depend on time hardly varies: two trials that differ a little do not make it doubtful.
    hides = _HIDES_RECALL if is_difference(metric) else _HIDES_A_FACTOR
    doubtful = width > hides and (spec(metric).timed or loss > limit)
    return "inconclusive" if doubtful else "within noise"


def _change(metric: str, loss: float) -> float:
    """A loss as change of the metric: a ratio (infinite rather than an overflow), or a difference of recall."""
    if is_difference(metric):
        return -loss
    return float(np.exp(np.clip(-loss if spec(metric).better == "higher" else loss, -700, 700)))
