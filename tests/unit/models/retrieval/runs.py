"""Runs that asked engines for the users of `made`: their files, without engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from harness.data.identity import ModelIdentity
from harness.data.queries.roles import split_queries
from harness.data.queries.workload import Workload
from harness.oracle.corpus import Corpus
from harness.results.result import Measurement, RunResult
from harness.results.samples import OK, Samples, write_samples
from models.retrieval.held_out import HeldOut
from models.retrieval.measured import measured
from tests.unit.models.retrieval.made import K, no_filters, own_filters, truth

IDENTITY = ModelIdentity("made", "1", "0123456789abcdef" * 4)
Answers = dict[tuple[str, int, str], np.ndarray[Any, Any]]  # by engine, its setting `ef` and the filter


def corpus(held: HeldOut) -> Corpus:
    """Without a filter and under users' own."""
    filters = {"none": no_filters(held), "own:filters": own_filters(held)}
    workloads = {
        name: Workload(name, held.dataset.queries, each, max(held.hits(K))) for name, each in filters.items()
    }
    truths = {name: truth(held, each) for name, each in filters.items()}
    roles = split_queries(len(held.cases), 0)
    return Corpus(held.dataset, workloads, truths, {name: [name] for name in filters}, {}, roles)


def keep(path: Path, ids: np.ndarray[Any, Any]) -> None:
    """One request a row, in order."""
    zero = np.zeros(len(ids), np.int64)
    path.parent.mkdir(parents=True, exist_ok=True)
    asked = np.arange(len(ids), dtype=np.int64)
    write_samples(path, Samples(zero, zero, zero, asked, zero, zero + OK, ids, (ids >= 0).sum(axis=1)))


def run_of(folder: Path, answers: Answers) -> RunResult:
    """A run with these answers; an engine called `broken` has failed."""
    cells = []
    for number, ((engine, ef, name), ids) in enumerate(answers.items()):
        samples = f"samples/{number}.parquet"
        keep(folder / samples, ids)
        params: dict[str, dict[str, Any]] = {"index": {"M": 8}, "search": {"ef": ef}, "load": {"clients": 1}}
        failed = engine == "broken"
        cells.append(
            Measurement(
                engine=engine,
                adapter="faiss",
                task="answers",
                kind="answers",
                filter=name,
                params=params,
                metrics={} if failed else {"queries": len(ids), "errors": 0},
                error="out of luck" if failed else None,
                samples=None if failed else samples,
            )
        )
    engines = {engine: {"version": "9"} for engine, _, _ in answers}
    return RunResult(
        name="made",
        started_at="2026-01-01T00:00:00+00:00",
        environment={},
        dataset={},
        scenario={},
        engines=engines,
        measurements=cells,
    )


def content_of(folder: Path, held: HeldOut, answers: Answers, **options: Any) -> dict[str, Any]:
    """What is kept of such a run."""
    result = run_of(folder, answers)
    return measured(folder, result, corpus(held), held, identity=IDENTITY, k=K, **options)
