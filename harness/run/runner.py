"""Runs a scenario: trial by trial, engine by engine, saving after every cell."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engines.base import Engine
from engines.registry import MissingClientError, UnknownEngineError, load
from harness.calibration.calibrate import client_ceiling, open_loop_ceiling
from harness.errors import ConfigurationError
from harness.machine.environment import describe_environment
from harness.machine.noise import NoiseMonitor
from harness.oracle.corpus import describe_corpus, load_corpus
from harness.results.result import RunResult, read_result, write_result
from harness.run.from_engines import from_engine
from harness.run.recorder import Listener, Recorder
from harness.scenario.parameters import index_params, search_params
from harness.scenario.plan import grid, trial_sessions
from harness.scenario.specs import Scenario
from harness.servers.containers import remove_leftovers
from harness.servers.serving import source


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
            source(spec, kind)
            kinds[spec.title] = kind
        except ValueError as error:
            problems.append(f"{scenario.source}: engines[{number}].{error}")
        except (UnknownEngineError, MissingClientError) as error:
            problems.append(f"{scenario.source}: engines[{number}].engine: {error}")
        except ConfigurationError as error:
            problems += [f"{scenario.source}: engines[{number}]: {line}" for line in error.problems]
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
            label: {"version": from_engine(kind.version()), "capabilities": asdict(kind.capabilities)}
            for label, kind in kinds.items()
        },
    )
    if resume:
        result = _continue(run, result)
    run.mkdir(parents=True, exist_ok=True)
    write_result(run, result)
    listener.created()
    recorder = Recorder(scenario, kinds, run, result, corpus.filters, listener)
    listener.progress("calibrating the client", 0, None)
    recorder.ceilings = {"closed_loop": client_ceiling(), "arrival_rate": open_loop_ceiling()}
    recorder.result.environment["client_ceiling_qps"] = recorder.ceilings["closed_loop"]
    recorder.result.environment["client_open_loop_ceiling_qps"] = recorder.ceilings["arrival_rate"]
    if left := remove_leftovers():
        recorder.note(f"{left} containers that an earlier, killed run had left were removed first")
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
    # What was found out of a server holds for the cells that are kept; a session that runs again finds it out anew.
    engines = {label: facts | earlier.engines.get(label, {}) for label, facts in fresh.engines.items()}
    return fresh.model_copy(
        update={
            "started_at": earlier.started_at,
            "measurements": kept,
            "notes": earlier.notes,
            "engines": engines,
        }
    )


def _run_trials(recorder: Recorder, cache: Path) -> None:
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


def point_latest(run: Path) -> None:
    """Makes `latest` beside the run's folder point at it."""
    link = run.parent / "latest"
    temporary = run.parent / ".latest"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(run.name)
    temporary.replace(link)


def result_summary(result: RunResult) -> dict[str, Any]:
    """For the closing lines: cells, failed cells, and engines of which every cell failed, with the first reason."""
    failed = [cell for cell in result.measurements if cell.error]
    alive = {cell.engine for cell in result.measurements if not cell.error}
    dead: dict[str, str] = {}
    for cell in failed:
        if cell.engine not in alive:
            dead.setdefault(cell.engine, str(cell.error))
    return {"cells": len(result.measurements), "failed": len(failed), "dead": dead}
