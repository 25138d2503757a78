"""Runs a scenario: trial by trial, engine by engine, saving after every cell."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engines.base import Engine
from engines.registry import MissingClientError
from harness.children.leftovers import remove_leftovers
from harness.errors import ConfigurationError
from harness.machine.environment import describe_environment
from harness.machine.noise import NoiseMonitor
from harness.oracle.corpus import load_corpus
from harness.oracle.facts import describe_corpus
from harness.results.result import RESULT, RunResult
from harness.run.absent import LEFT_OUT, left_out
from harness.run.from_engines import error_text, from_engine
from harness.run.lock import locked
from harness.run.mix.weights import weighed
from harness.run.recorder import Callbacks, Recorder
from harness.run.resuming import resume as resumed
from harness.run.trials import run_trials
from harness.scenario.cells import grid
from harness.scenario.engine_class import engine_class
from harness.scenario.parameters import index_params, search_params
from harness.scenario.specs import Scenario
from harness.servers.docker_engine import remove_containers
from harness.servers.serving import server_kind


def check_engines(scenario: Scenario) -> dict[str, type[Engine]]:
    """The engine classes by label. Raises ConfigurationError with every unknown engine, missing client and
    wrong parameter.
    """
    adapter_classes: dict[str, type[Engine]] = {}
    problems: list[str] = []
    for number, spec in enumerate(scenario.engines):
        try:
            adapter_class = engine_class(spec.engine)
            adapter_class.version()  # now, and not after data and truth have been made
        except (ConfigurationError, MissingClientError) as error:
            problems.append(f"{scenario.source}: engines[{number}].engine: {error}")
            continue
        except Exception as error:  # noqa: BLE001 - of a class of the user's
            problems.append(
                f"{scenario.source}: engines[{number}].engine: its version() fails: {error_text(error)}"
            )
            continue
        try:
            for combination in grid(spec.index):
                index_params(adapter_class, combination, spec.title)
            for combination in grid(spec.search):
                search_params(adapter_class, combination, spec.title)
            server_kind(spec, adapter_class)
            adapter_classes[spec.title] = adapter_class
        except ValueError as error:
            problems.append(f"{scenario.source}: engines[{number}].{error}")
        except ConfigurationError as error:
            problems += [f"{scenario.source}: engines[{number}]: {line}" for line in error.problems]
    if problems:
        raise ConfigurationError(list(dict.fromkeys(problems)))
    return adapter_classes


def run_scenario(
    scenario: Scenario, run: Path, cache: Path, *, resume: bool = False, callbacks: Callbacks | None = None
) -> RunResult:
    """Measures every cell of a scenario; the run's folder holds each as soon as it is measured.

    resume: keep what an earlier, interrupted run of the same scenario measured there and go on.
    Raises ConfigurationError, DatasetError, MeasurementError; whatever happens, what was measured is saved.
    """
    adapter_classes = check_engines(scenario)
    absent, note = left_out(scenario, adapter_classes)
    with locked(run):
        if not resume and (run / RESULT).exists():
            raise ConfigurationError(f"{run} holds a run already; add --resume to go on with it")
        callbacks = callbacks or Callbacks()
        callbacks.progress("preparing data and exact answers", 0, None)
        corpus = load_corpus(scenario, cache, callbacks.progress)
        scenario, notes = weighed(scenario, corpus)
        result = _empty_result(scenario, run, adapter_classes, describe_corpus(corpus), notes)
        if resume:
            result = resumed(run, result)
        recorder = Recorder(scenario, adapter_classes, run, result, corpus.filters, callbacks)
        if absent:
            recorder.leave_out_engines(absent, note)
        return _measure(recorder, cache)


def _measure(recorder: Recorder, cache: Path) -> RunResult:
    callbacks = recorder.callbacks
    try:
        callbacks.folder_ready()
        if left := remove_containers():
            recorder.note(f"{left} containers that an earlier, killed run had left were removed first")
        if found := remove_leftovers():
            recorder.note(
                f"what an earlier, killed run had left was ended or removed first: {'; '.join(found)}"
            )
        with NoiseMonitor() as recorder.noise:
            run_trials(recorder, cache)
        recorder.finish()
    finally:
        recorder.close()
    return recorder.result


def _empty_result(
    scenario: Scenario,
    run: Path,
    adapter_classes: dict[str, type[Engine]],
    dataset: dict[str, Any],
    notes: list[str],
) -> RunResult:
    return RunResult(
        name=run.name,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        environment=describe_environment(),
        dataset=dataset,
        scenario=scenario.model_dump(mode="json"),
        engines={
            label: {
                "version": from_engine(adapter_class.version()),
                "client": from_engine(adapter_class.version()),
                "capabilities": asdict(adapter_class.capabilities),
            }
            for label, adapter_class in adapter_classes.items()
        },
        notes=notes,
    )


def result_summary(result: RunResult) -> dict[str, Any]:
    """For the closing lines: cells, failed cells, whether all that was planned is there, engines of which every cell
    failed, with the first reason, and the note on those that were left out.
    """
    failed = [cell for cell in result.measurements if cell.error]
    alive = {cell.engine for cell in result.measurements if not cell.error}
    dead: dict[str, str] = {}
    for cell in failed:
        if cell.engine not in alive:
            dead.setdefault(cell.engine, str(cell.error))
    return {
        "cells": len(result.measurements),
        "failed": len(failed),
        "complete": result.finished_at is not None,
        "dead": dead,
        "left_out": next((note for note in result.notes if note.startswith(LEFT_OUT)), None),
    }
