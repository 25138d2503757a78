"""A scenario's data made ready: dataset, workloads and the oracle's truth, the same in every process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.data.catalogue import load_dataset
from harness.data.dataset import Dataset
from harness.data.roles import QueryRoles, split_queries
from harness.data.workload import Workload, build_workload, selectivity
from harness.errors import ConfigurationError
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
    dataset = load_dataset(scenario.dataset, cache=cache / "datasets", progress=progress)
    dataset = dataset.head(scenario.rows, scenario.queries)
    corpus = Corpus(dataset, {}, {}, {}, {}, split_queries(len(dataset.queries), scenario.seed))
    problems = _too_small(scenario, dataset)
    for spec in scenario.filters:
        try:
            built = build_workload(spec, dataset, scenario.k, scenario.seed)
        except ConfigurationError as error:
            problems += [f"{scenario.source}: {line}" for line in error.problems]
            continue
        corpus.workloads.update({workload.name: workload for workload in built})
        corpus.filters[spec.name] = [workload.name for workload in built]
        corpus.skipped.update(built.skipped)
    if problems:
        raise ConfigurationError(problems)
    if not corpus.workloads:
        raise ConfigurationError(
            f"{scenario.source}: filters: {dataset.name} offers none of them "
            f"({'; '.join(corpus.skipped.values())}); add '- name: none' to measure without filters"
        )
    for name, workload in corpus.workloads.items():
        corpus.truths[name] = cached_truth(dataset, workload, cache / "truth", progress)
    return corpus


def _too_small(scenario: Scenario, dataset: Dataset) -> list[str]:
    """What the scenario asks of more items than there are."""
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


def describe_corpus(corpus: Corpus) -> dict[str, Any]:
    """What the result file says of the data."""
    dataset = corpus.dataset
    return {
        "name": dataset.name,
        "metric": dataset.metric,
        "rows": len(dataset.vectors),
        "dim": dataset.vectors.shape[1],
        "queries": len(dataset.queries),
        "fingerprint": dataset.fingerprint,
        "description": dataset.description,
        "fields": [asdict(attribute) for attribute in dataset.attributes],
        "filters": [
            {
                "name": name,
                **{
                    key if key == "distinct" else f"selectivity_{key}": value
                    for key, value in selectivity(workload, dataset)._asdict().items()
                },
            }
            for name, workload in corpus.workloads.items()
        ],
        "skipped": corpus.skipped,
    }
