"""How fast engines are on the vectors of each dimension, as a run of a scenario measures it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.progress import Progress
from harness.results.result import RESULT, RunResult
from harness.results.stats import Comparison, Interval, compare_ratios, mean_interval
from harness.run.recorder import Callbacks
from harness.run.runner import run_scenario
from harness.scenario.specs import Scenario
from models.dimensions.variants import PRECISIONS, Precision
from reports.decide.comparing.ranking import Candidate
from reports.decide.conclusion.sentences import describe
from reports.decide.evidence import Evidence, gather_evidence

ROUNDED = "-int8"  # ends the label of a scenario's entry whose index holds int8


@dataclass(frozen=True, slots=True)
class Throughput:
    """An engine at its operating point, the fastest setting with the required recall.

    engine: its label, of one with int8 that of the same without. search: the parameters of the setting.
    by_trial: queries/s, by trials that did not choose the setting. recall: the lowest over the filters, against exact
    search of the same vectors in float32. missing: why there are no figures; empty where there are.
    """

    engine: str
    precision: Precision
    search: dict[str, Any]
    by_trial: tuple[float, ...]
    recall: float | None
    missing: str = ""

    @property
    def qps(self) -> Interval | None:
        """The mean over the trials with Student's interval; None without figures."""
        return mean_interval(self.by_trial) if self.by_trial else None


def measure(
    folder: Path, dataset: Path, scenario: Scenario, cache: Path, progress: Progress
) -> list[Throughput]:
    """Runs a scenario on a dataset, or goes on with the same run, and tells every engine's throughput.

    folder: where runs on this dataset are kept. Raises as `run_scenario`.
    """
    asked = scenario.model_copy(update={"dataset": str(dataset.resolve())})
    run = folder / f"run-{_key(asked)}"
    resume = (run / RESULT).exists()
    result = run_scenario(asked, run, cache, resume=resume, callbacks=Callbacks(progress=progress))
    return throughputs(result)


def throughputs(result: RunResult) -> list[Throughput]:
    """Of each engine with float32 and with int8, in the scenario's order; what is not there says why."""
    evidence = gather_evidence(result)
    chosen = {candidate.configuration.engine: candidate for candidate in evidence.ranking}
    labels = list(evidence.cells.engines)
    found = []
    for engine in dict.fromkeys(label.removesuffix(ROUNDED) for label in labels):
        for precision in PRECISIONS:
            label = engine + (ROUNDED if precision == "int8" else "")
            if label in labels:
                found.append(_throughput(evidence, label, engine, precision, chosen.get(label)))
            else:
                missing = f"the scenario has no engine labelled {label}"
                found.append(Throughput(engine, precision, {}, (), None, missing))
    return found


def ratio(full: Throughput | None, other: Throughput) -> Comparison | None:
    """How many times the throughput of the same engine on the full float32 vectors; None where either has none."""
    if full is None or full is other or not full.by_trial or not other.by_trial:
        return None
    if min(*full.by_trial, *other.by_trial) <= 0:
        return None
    return compare_ratios(full.by_trial, other.by_trial)


def _throughput(
    evidence: Evidence, label: str, engine: str, precision: Precision, candidate: Candidate | None
) -> Throughput:
    if candidate is None:
        missing = describe(evidence, label, evidence.nearest(label))
        return Throughput(engine, precision, {}, (), None, missing)
    recalls = [check.value for check in candidate.checks if check.metric.startswith("recall_at_")]
    return Throughput(
        engine,
        precision,
        candidate.configuration.search,
        tuple(candidate.by_trial.values()),
        next(iter(recalls), None),
    )


def _key(scenario: Scenario) -> str:
    """Another scenario, or one on another dataset, has a run of its own."""
    return sha256(json.dumps(scenario.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[:12]
