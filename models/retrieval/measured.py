"""A run that asked engines for a model's users, judged: what `engines.json` says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.data.identity import ModelIdentity
from harness.errors import ConfigurationError
from harness.oracle.corpus import Corpus
from harness.progress import Progress, silent
from harness.results.metrics import ANSWERS
from harness.results.result import Measurement, RunResult
from harness.results.samples import read_answers
from models.evaluation.recommender import places
from models.retrieval.held_out import HeldOut
from models.retrieval.points import Judged, Point, judge_points, plain_figures

LEVEL = 0.95
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


def measured(
    run: Path,
    result: RunResult,
    corpus: Corpus,
    held: HeldOut,
    *,
    identity: ModelIdentity,
    k: int,
    examples: Sequence[int] = (),
    first: int = 0,
    progress: Progress = silent,
) -> dict[str, Any]:
    """What to keep of a run in the folder `run`, finished or not, as plain values.

    k: how many listings each user gets. The corpus is the run's. examples: users of whom the `first` answers are kept
    themselves. Raises ConfigurationError for damaged answers.
    """
    cells = [cell for cell in result.measurements if cell.kind == ANSWERS]
    exact, points = {}, []
    for done, (name, workload) in enumerate(corpus.workloads.items()):
        progress(f"judging answers, filter {name}", done, len(corpus.workloads))
        fine = {cell.key: cell for cell in cells if cell.filter == name and cell.error is None}
        answers = {key: _answers(run, cell, len(held.cases)) for key, cell in fine.items()}
        judged = judge_points(held, workload.filters, corpus.truths[name], answers, k)
        exact[name] = _exact(judged, held)
        points += [
            _point(fine[key], point, result)
            | {"examples": _examples(judged.exact.items, point.received.answers, examples, first)}
            for key, point in judged.points.items()
        ]
    return {
        "model": asdict(identity),
        "dataset": {
            "name": held.dataset.name,
            "fingerprint": held.dataset.fingerprint,
            "items": len(held.dataset.vectors),
        },
        "k": k,
        "level": LEVEL,
        "users": len(held.cases),
        "targets": len(held.cases.targets.items),
        "targets_elsewhere": held.elsewhere,
        "skipped": dict(corpus.skipped),
        "examples": list(examples),
        "exact": exact,
        "points": points,
        "failed": [_named(cell) | {"error": cell.error} for cell in cells if cell.error],
    }


def _answers(run: Path, cell: Measurement, users: int) -> Int64:
    """int64[users, w]. Raises ConfigurationError."""
    assert cell.samples is not None
    ids, queries = read_answers(run / cell.samples)
    if queries.tolist() != list(range(users)):
        raise ConfigurationError(
            f"{run / cell.samples}: must have the answers to {users:,} users in their order; measure it again"
        )
    return ids


def _named(cell: Measurement) -> dict[str, Any]:
    return {
        "engine": cell.engine,
        "index": cell.params["index"],
        "search": cell.params["search"],
        "filter": cell.filter,
    }


def _exact(judged: Judged, held: HeldOut) -> dict[str, Any]:
    hits = places(judged.exact.items, held.cases.targets) >= 0
    return {
        "hits": int(np.count_nonzero(hits)),
        "mean_matches": float(judged.matches.mean()),
        "figures": plain_figures(judged.cells),
    }


def _examples(exact: Int32, answers: Int32, users: Sequence[int], first: int) -> list[dict[str, Any]]:
    """Of each user the first answers of an engine, as rows of the dataset, and whether each is among exact search's
    first; how many of all exact answers are lost, and which of the first are missing.
    """
    found = []
    for user in users:
        whole, got = ([row for row in rows[user].tolist() if row >= 0] for rows in (exact, answers))
        found.append(
            {
                "first": got[:first],
                "among_first": [row in whole[:first] for row in got[:first]],
                "lost": len(set(whole) - set(got)),
                "missing": [row for row in whole[:first] if row not in got],
            }
        )
    return found


def _point(cell: Measurement, point: Point, result: RunResult) -> dict[str, Any]:
    got = point.received
    return _named(cell) | {
        "version": result.engines[cell.engine]["version"],
        "measured_at": result.started_at,
        "errors": int(cell.metrics.get("errors") or 0),
        "error": cell.reasons.get("errors"),
        "violations": got.violations,
        "unknown": got.unknown,
        "repeats": got.repeats,
        "loss": point.loss.to_json(),
        "figures": plain_figures(point.cells),
    }
