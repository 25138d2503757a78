"""A session's parts around an engine of the test's own, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engines.bruteforce.adapter import BruteForce, Params
from harness.machine.meters import OwnProcess
from harness.oracle.corpus import load_corpus
from harness.results.result import Measurement
from harness.scenario.plan import Session
from harness.scenario.specs import Scenario
from harness.tasks.bench import Bench
from harness.tasks.registry import TASKS


def bench_of(
    tmp_path: Path,
    kind: type[BruteForce],
    task: dict[str, Any],
    *,
    rows: int = 1500,
    centre: tuple[float, float] = (0.0, 0.0),
    spread: float = 1.0,
) -> Bench:
    """An engine with `rows` items and 60 queries around a centre; k is 5, one filter lets a third of the items pass."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, count in (("vectors", rows), ("queries", 60)):
        values = np.array(centre) + spread * rng.standard_normal((count, 2))
        np.save(folder / f"{name}.npy", values.astype(np.float32))
    pq.write_table(pa.table({"n": np.arange(rows) % 3}), folder / "attributes.parquet")
    (folder / "dataset.yaml").write_text("metric: l2\n")
    scenario = Scenario.model_validate(
        {
            "name": "s",
            "dataset": str(folder),
            "k": 5,
            "engines": [{"engine": "bruteforce"}],
            "filters": [{"name": "none"}, {"name": "third", "where": {"n": 1}}],
            "tasks": [*([] if task["task"] == "index" else [{"task": "index"}]), task],
        }
    )
    session = Session("engine", "bruteforce", {}, ({},), 0)
    corpus = load_corpus(scenario, tmp_path / "cache")
    return Bench(
        scenario, session, tmp_path, kind(tmp_path, Params()), corpus, OwnProcess(), tmp_path / "samples"
    )


def measure(bench: Bench, name: str) -> Measurement:
    """The first cell of a task of the scenario."""
    (task,) = [task for task in bench.scenario.tasks if task.name == name]
    planned = task.cells({task.name: list(bench.corpus.workloads)}, [{}])[0]
    cell, _ = TASKS[task.task](bench, task, planned)
    return cell
