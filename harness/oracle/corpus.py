"""A scenario's data made ready: dataset, workloads and the oracle's truth, the same in every process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engines.filters import leaves
from harness.data.catalogue import load_dataset
from harness.data.dataset import Dataset
from harness.data.queries.roles import QueryRoles, split_queries
from harness.data.queries.workload import Workload, build_workload
from harness.errors import ConfigurationError, noting
from harness.oracle.truth import Truth, cached_truth
from harness.progress import Progress, silent
from harness.scenario.specs import Scenario


@dataclass(frozen=True, slots=True)
class Corpus:
    """The items, and by workload name the queries with their exact answers.

    filters: which workloads each filter of the scenario stands for (several where the dataset brings several,
    none where the dataset cannot offer it: then `skipped` has the reason). roles: which queries are for what.
    """

    dataset: Dataset
    workloads: dict[str, Workload]
    truths: dict[str, Truth]
    filters: dict[str, list[str]]
    skipped: dict[str, str]
    roles: QueryRoles


def load_corpus(scenario: Scenario, cache: Path, progress: Progress = silent) -> Corpus:
    """Loads, cuts, and computes (or finds in the cache) every exact answer.

    Raises ConfigurationError with every problem of the filters, DatasetError.
    """
    dataset = load_dataset(scenario.named_dataset, cache=cache / "datasets", progress=progress)
    problems: list[str] = []
    with noting(problems, f"{scenario.source}: "):
        dataset = dataset.head(scenario.rows, scenario.queries)
    corpus = Corpus(dataset, {}, {}, {}, {}, split_queries(len(dataset.queries), scenario.seed))
    problems += _too_small(scenario, dataset)
    for spec in scenario.filters:
        with noting(problems, f"{scenario.source}: "):
            built = build_workload(spec, dataset, scenario.k, scenario.seed)
            corpus.workloads.update({workload.name: workload for workload in built})
            corpus.filters[spec.name] = [workload.name for workload in built]
            corpus.skipped.update(built.skipped)
    if not problems:
        with noting(problems):
            dataset = replace(dataset, indexed=_indexed(scenario, dataset, corpus.workloads))
    if problems:
        raise ConfigurationError(problems)
    for name, workload in corpus.workloads.items():
        corpus.truths[name] = cached_truth(dataset, workload, cache / "truth", progress)
    _skip_what_matches_nothing(corpus)
    if not corpus.workloads:
        raise ConfigurationError(
            f"{scenario.source}: filters: {dataset.name} offers none of them "
            f"({'; '.join(f'{name}: {reason}' for name, reason in corpus.skipped.items())}); "
            "add '- name: none' to measure without filters"
        )
    return replace(corpus, dataset=dataset)


def _indexed(scenario: Scenario, dataset: Dataset, workloads: Mapping[str, Workload]) -> frozenset[str]:
    """The columns that engines index. Raises ConfigurationError for a choice that the filters or the data forbid."""
    needed = {
        leaf.field
        for workload in workloads.values()
        for where in set(workload.filters)
        for leaf in leaves(where)
    }
    if scenario.index_columns == "filtered":
        return frozenset(needed)
    if scenario.index_columns == "all":
        return frozenset(dataset.filterable)
    chosen = frozenset(scenario.index_columns)
    known = ", ".join(dataset.filterable) or "none"
    problems = [
        f"{scenario.source}: index_columns: '{name}' is no column of {dataset.name} that can be filtered by "
        f"(these are: {known})"
        for name in sorted(chosen - set(dataset.filterable))
    ]
    problems += [
        f"{scenario.source}: index_columns: a filter names '{name}', so engines need it; add it, or drop the filter"
        for name in sorted(needed - chosen)
    ]
    if problems:
        raise ConfigurationError(problems)
    return chosen


def _skip_what_matches_nothing(corpus: Corpus) -> None:
    """Drops workloads whose filters mostly match no item: an engine's speed at finding nothing means nothing."""
    for name, truth in list(corpus.truths.items()):
        found = int(np.count_nonzero(truth.matches))
        if found > len(truth.matches) / 2:
            continue
        del corpus.workloads[name], corpus.truths[name]
        for names in corpus.filters.values():
            if name in names:
                names.remove(name)
        corpus.skipped[name] = (
            f"its filters match no item at all in {len(truth.matches) - found:,} of {len(truth.matches):,} queries"
        )


def _too_small(scenario: Scenario, dataset: Dataset) -> list[str]:
    """The problems of a scenario that needs more items than there are."""
    rows, problems = len(dataset.vectors), []
    if scenario.k > rows:
        problems.append(f"{scenario.source}: k is {scenario.k} but {dataset.name} has {rows} items; lower k")
    problems += [
        f"{scenario.source}: tasks: {task.name} needs at least {task.fewest_items} items, {dataset.name} has {rows}; "
        "leave the task out"
        for task in scenario.tasks
        if rows < task.fewest_items
    ]
    return problems
