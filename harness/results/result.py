"""RunResult: what a run leaves behind, its schema version, reading and writing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import ConfigurationError
from harness.results.files import write_json

SCHEMA_VERSION = 1


class Model(BaseModel):
    """Base of the parts of a result file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Measurement(Model):
    """One cell: engine x task x filter x parameters x trial.

    metrics: values by metric name (see docs/metrics.md); None where one could not be had, with the cause in
    `reasons` under the same name. error: why the whole cell failed, else None. samples: the Parquet file of
    its samples, relative to the run's folder.
    """

    engine: str  # the label of the scenario's engine entry
    adapter: str  # the registry's name
    task: str
    kind: str  # index | search | updates
    filter: str = "none"
    executor: str | None = None
    params: dict[str, dict[str, Any]] = {}  # {"index": {...}, "search": {...}, "load": {clients, rate, ...}}
    trial: int = 0
    metrics: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    flags: list[str] = []  # "client-bound", "steal 7.1 %": read the figures with care
    error: str | None = None
    samples: str | None = None

    @property
    def key(self) -> str:
        """Identifies the cell within a run; what `--resume` compares."""
        parts = (self.engine, self.task, self.filter, self.params, self.trial)
        return json.dumps(parts, sort_keys=True)


class RunResult(Model):
    """Everything a report, a decision or a gate needs to know of a run.

    environment: cpu, cores, memory_bytes, os, python, packages {}, fingerprint (of the hardware).
    dataset: name, metric, rows, dim, queries, fingerprint, fields [{name, kind, origin}], description,
    filters [{name, selectivity_mean, selectivity_min, selectivity_max, distinct}], skipped {filter: reason}.
    scenario: the scenario as it was run (Scenario.model_dump). engines: label -> {adapter, version, capabilities},
    with a server also what it is, where it ran and its query path.
    """

    schema_version: int = SCHEMA_VERSION
    name: str
    started_at: str  # ISO 8601, UTC
    finished_at: str | None = None  # None while running or after an interruption
    environment: dict[str, Any]
    dataset: dict[str, Any]
    scenario: dict[str, Any]
    engines: dict[str, Any] = {}
    measurements: list[Measurement] = []
    notes: list[str] = []  # what a reader must know of the run as a whole, such as trials left out for time


def read_result(run: Path) -> RunResult:
    """Reads `run/result.json` (or the file itself). Raises ConfigurationError."""
    path = run / "result.json" if run.is_dir() else run
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read: {error.strerror}. Give the folder of a run, such as runs/latest"
        ) from error
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{path}: is not JSON: {error}") from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise ConfigurationError(
            f"{path}: schema_version is {version!r}, this version reads {SCHEMA_VERSION}. Run the scenario again"
        )
    try:
        return RunResult.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigurationError(f"{path}: {'.'.join(map(str, first['loc']))} {first['msg']}") from error


def write_result(run: Path, result: RunResult) -> None:
    """Writes `run/result.json` atomically."""
    write_json(run / "result.json", result.model_dump(mode="json"))
