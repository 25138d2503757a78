"""What keeps the figures of two runs from being compared: other data, another k, other filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.results.model import model_of, named
from harness.results.result import RunResult
from reports.comparison.runs import ComparedRun
from reports.wording import listing


@dataclass(frozen=True, slots=True)
class Comparable:
    """Which figures of a run can be compared with those of the first one.

    data: whether the data are the same; without that nothing can be. mix: whether the filters are the same, and how
    many hits were asked for, so that figures over all filters can. filters: those that are the same in both, which can
    be one by one. sentence: what is in the way, empty where nothing is.
    """

    data: bool
    mix: bool
    filters: frozenset[str]
    sentence: str


def comparable(runs: Sequence[ComparedRun]) -> list[Comparable]:
    """For each run, beside the first."""
    return [_beside(runs[0], run) for run in runs]


def _beside(first: ComparedRun, run: ComparedRun) -> Comparable:
    names = f"{run.letter} and {first.letter}"
    if told := _data(first.result, run.result):
        return Comparable(
            False, False, frozenset(), f"{names} have different data ({told}): no figure can be compared"
        )
    for what, mine, theirs in (
        ("asked for {} and {} hits", run.evidence.cells.k, first.evidence.cells.k),
        ("were measured under {} and {}", _load(run), _load(first)),
        ("asked {} and {} queries", run.result.dataset.get("queries"), first.result.dataset.get("queries")),
    ):
        if mine != theirs:
            told = f"{names} {what.format(mine, theirs)}: figures of searches cannot be compared"
            return Comparable(True, False, frozenset(), told)
    own, others = _filters(run), _filters(first)
    same = frozenset(name for name in own if name in others and own[name] == others[name])
    other = sorted((own.keys() | others.keys()) - same)
    if not other and _mix(run) == _mix(first):
        return Comparable(True, True, same, "")
    what = f"different filters ({listing(other)})" if other else "different weights of the filters"
    return Comparable(True, False, same, f"{names} have {what}: figures over all filters cannot be compared")


def _load(run: ComparedRun) -> str:
    """The load under which the run decides."""
    rate = run.evidence.cells.objective_rate
    return "a closed loop" if rate is None else f"{rate:,g} queries/s"


def _mix(run: ComparedRun) -> dict[str, float]:
    """How much of the mix each filter is."""
    filters = run.evidence.cells.filters
    return dict(zip(filters, run.evidence.objective.shares(filters).tolist(), strict=True))


def _data(first: RunResult, run: RunResult) -> str:
    """How the data differ; empty where they do not."""
    told = []
    for key in ("name", "rows", "dim", "metric"):
        before, after = first.dataset.get(key), run.dataset.get(key)
        if before != after:
            told.append(f"{key} {after} and {before}")
    models = [model_of(each.dataset) for each in (run, first)]
    if models[0] != models[1]:
        told.append(f"vectors of {named(models[0])} and {named(models[1])}")
    if not told and first.dataset.get("fingerprint") != run.dataset.get("fingerprint"):
        told.append("the same name, other content")
    return "; ".join(told)


def _filters(run: ComparedRun) -> dict[str, Any]:
    """What each filter of the objective is: as the scenario says it, and what it let through."""
    asked = {entry.get("name"): entry for entry in run.result.scenario.get("filters") or []}
    measured = {entry.get("name"): _shares(entry) for entry in run.result.dataset.get("filters") or []}
    return {name: (asked.get(name), measured.get(name)) for name in run.evidence.cells.filters}


def _shares(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key.startswith("selectivity_") or key == "distinct"}
