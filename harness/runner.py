"""Runs a scenario: trial by trial, engine by engine, saving after every cell."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engines.base import Engine
from engines.registry import MissingClientError, UnknownEngineError, load
from harness.calibrate import client_bound, client_ceiling, open_loop_ceiling
from harness.corpus import describe_corpus, load_corpus
from harness.environment import describe_environment
from harness.errors import ConfigurationError
from harness.isolation import SessionFailedError, messages
from harness.noise import NoiseMonitor
from harness.parameters import index_params, search_params
from harness.plan import Filters, Session, grid, identity, session_cells, trial_sessions
from harness.progress import Progress, silent
from harness.result import Measurement, RunResult, read_result, write_result
from harness.scenario import Scenario
from harness.session import Job

MAX_STEAL = 0.05  # share of CPU time taken by the hypervisor beyond which a cell is flagged


@dataclass(frozen=True, slots=True)
class Listener:
    """Whom a run tells: `progress` on the way, `created` once its folder holds a result file."""

    progress: Progress = silent
    created: Callable[[], None] = lambda: None


def check_engines(scenario: Scenario) -> dict[str, type[Engine]]:
    """The engine classes by label. Raises ConfigurationError with every unknown engine, missing client and
    wrong parameter.
    """
    kinds: dict[str, type[Engine]] = {}
    problems: list[str] = []
    for number, spec in enumerate(scenario.engines):
        try:
            kind = load(spec.engine)
            for combination in grid(spec.index):
                index_params(kind, combination, spec.title)
            for combination in grid(spec.search):
                search_params(kind, combination, spec.title)
            kinds[spec.title] = kind
        except (UnknownEngineError, MissingClientError) as error:
            problems.append(f"scenario {scenario.name}: engines[{number}].engine: {error}")
        except ConfigurationError as error:
            problems += [f"scenario {scenario.name}: engines[{number}]: {line}" for line in error.problems]
    if problems:
        raise ConfigurationError(list(dict.fromkeys(problems)))
    return kinds


def run_scenario(
    scenario: Scenario, run: Path, cache: Path, *, resume: bool = False, listener: Listener | None = None
) -> RunResult:
    """Measures every cell of a scenario into `run/result.json`, which is saved after each.

    resume: keep what an earlier, interrupted run of the same scenario measured there and go on.
    Raises ConfigurationError, DatasetError, MeasurementError; whatever happens, what was measured is saved.
    """
    listener = listener or Listener()
    kinds = check_engines(scenario)
    listener.progress("preparing data and exact answers", 0, None)
    corpus = load_corpus(scenario, cache, listener.progress)
    result = RunResult(
        name=run.name,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        environment=describe_environment(),
        dataset=describe_corpus(corpus),
        scenario=scenario.model_dump(mode="json"),
        engines={
            label: {"version": kind.version(), "capabilities": asdict(kind.capabilities)}
            for label, kind in kinds.items()
        },
    )
    if resume:
        result = _continue(run, result)
    run.mkdir(parents=True, exist_ok=True)
    write_result(run, result)
    listener.created()
    recorder = _Recorder(scenario, run, result, corpus.filters, listener)
    listener.progress("calibrating the client", 0, None)
    recorder.ceilings = {"closed_loop": client_ceiling(), "arrival_rate": open_loop_ceiling()}
    recorder.result.environment["client_ceiling_qps"] = recorder.ceilings["closed_loop"]
    recorder.result.environment["client_open_loop_ceiling_qps"] = recorder.ceilings["arrival_rate"]
    with NoiseMonitor() as recorder.noise:
        _run_trials(recorder, cache)
    recorder.finish()
    return recorder.result


def _continue(run: Path, fresh: RunResult) -> RunResult:
    earlier = read_result(run)
    for what, old, new in (
        ("scenario", earlier.scenario, fresh.scenario),
        ("dataset", earlier.dataset["fingerprint"], fresh.dataset["fingerprint"]),
        ("hardware", earlier.environment["fingerprint"], fresh.environment["fingerprint"]),
    ):
        if old != new:
            raise ConfigurationError(f"{run}: cannot be resumed, its {what} is another one; start a new run")
    kept = [cell for cell in earlier.measurements if not cell.error]
    return fresh.model_copy(
        update={"started_at": earlier.started_at, "measurements": kept, "notes": earlier.notes}
    )


def _run_trials(recorder: _Recorder, cache: Path) -> None:
    scenario = recorder.scenario
    start_ns, longest_s = time.perf_counter_ns(), 0.0
    for trial in range(scenario.trials):
        trial_start_ns = time.perf_counter_ns()
        elapsed_s = (trial_start_ns - start_ns) / 1e9
        if trial and scenario.budget_s and elapsed_s + longest_s > scenario.budget_s:
            recorder.note(
                f"only {trial} of {scenario.trials} trials were run: another would have exceeded budget_s "
                f"({scenario.budget_s:g} s); raise it for narrower intervals"
            )
            return
        for session in trial_sessions(scenario, trial):
            recorder.run_session(session, cache)
        longest_s = max(longest_s, (time.perf_counter_ns() - trial_start_ns) / 1e9)


class _Recorder:
    """Collects the cells of a run, completes each with the machine's noise, and saves."""

    noise: NoiseMonitor
    ceilings: dict[str, float]  # what one client process can do, by executor

    def __init__(
        self, scenario: Scenario, run: Path, result: RunResult, filters: Filters, listener: Listener
    ) -> None:
        self.scenario, self.run, self.result, self.filters, self.listener = (
            scenario,
            run,
            result,
            filters,
            listener,
        )
        planned = [
            cell
            for trial in range(scenario.trials)
            for session in trial_sessions(scenario, trial)
            for cell in session_cells(scenario, session, self.filters)
        ]
        self.total = len(planned)

    def run_session(self, session: Session, cache: Path) -> None:
        """Runs what is missing of a session; cells it never reported are recorded as failed, with the cause."""
        known = {identity(cell, self.scenario): cell for cell in self.result.measurements}
        planned = session_cells(self.scenario, session, self.filters)
        if all(identity(cell, self.scenario) in known for cell in planned):
            return
        job = Job(self.scenario, session, self.run, {cell.key: cell for cell in known.values()})
        try:
            for message in messages(job, cache, self.scenario.cell_timeout_s):
                if message[0] == "cell":
                    self.record(*message[1:])
                else:
                    self.listener.progress(message[1], len(self.result.measurements), self.total)
        except SessionFailedError as error:
            have = {identity(cell, self.scenario) for cell in self.result.measurements}
            lost = [cell for cell in planned if identity(cell, self.scenario) not in have]
            self.result.measurements.extend(cell.model_copy(update={"error": str(error)}) for cell in lost)
            self.save()

    def record(self, cell: Measurement, span: tuple[int, int] | None) -> None:
        """Adds one cell, with the noise of its window, and saves."""
        if span is not None:
            cell = self._with_noise(cell, span)
        self.result.measurements.append(cell)
        self.save()
        self.listener.progress(cell.engine, len(self.result.measurements), self.total)

    def _with_noise(self, cell: Measurement, span: tuple[int, int]) -> Measurement:
        noise = self.noise.window(*span)
        flags = list(cell.flags)
        if noise.steal_share is not None and noise.steal_share > MAX_STEAL:
            flags.append(f"steal {noise.steal_share:.1%}")
        load = cell.params.get("load", {})
        ceiling_qps = self.ceilings.get(str(cell.executor), math.inf)
        if client_bound(cell.metrics.get("throughput_qps") or 0.0, load.get("processes", 1), ceiling_qps):
            flags.append("client-bound")
        measured = {name: getattr(noise, name) for name in ("steal_share", "hiccup_p99_us", "hiccup_max_us")}
        return cell.model_copy(
            update={
                "metrics": cell.metrics | measured,
                "reasons": cell.reasons | noise.reasons,
                "flags": flags,
            }
        )

    def note(self, text: str) -> None:
        """Adds a remark on the run as a whole."""
        self.result.notes.append(text)

    def save(self) -> None:
        """Writes the result file."""
        write_result(self.run, self.result)

    def finish(self) -> None:
        """Marks the run as complete."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.result = self.result.model_copy(update={"finished_at": now})
        self.save()


def point_latest(run: Path) -> None:
    """Makes `latest` beside the run's folder point at it."""
    link = run.parent / "latest"
    temporary = run.parent / ".latest"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(run.name)
    temporary.replace(link)


def result_summary(result: RunResult) -> dict[str, Any]:
    """Counts for the closing line: cells, failed cells, and engines of which every cell failed."""
    failed = [cell for cell in result.measurements if cell.error]
    labels = {cell.engine for cell in result.measurements}
    alive = {cell.engine for cell in result.measurements if not cell.error}
    return {"cells": len(result.measurements), "failed": len(failed), "dead": sorted(labels - alive)}
