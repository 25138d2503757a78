"""RunResult: what a run leaves behind, its schema version, and reading it, finished or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import ConfigurationError
from harness.paths import read_file

SCHEMA_VERSION = 1
RESULT, CELLS = "result.json", "cells.jsonl"  # in a run's folder
UNSUPPORTED = "unsupported: "  # begins the error of a cell that asks what its engine cannot do
CELLS_KEY = "cells_file"  # in a result file whose run has not ended: its cells are in a file beside it


class ResultPart(BaseModel):
    """Base of the parts of a result file. NaN and infinity are never figures."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Measurement(ResultPart):
    """One cell: engine x task x filter x parameters x trial.

    metrics: values by metric name (see docs/metrics.md); None where one could not be had, with the cause in
    `reasons` under the same name. error: why the whole cell failed, else None. samples: the Parquet file of
    its samples, relative to the run's folder.
    """

    engine: str  # the label of the scenario's engine entry
    adapter: str  # the registry's name
    task: str
    kind: str  # of the task: index, search, answers, updates, durability
    filter: str = "none"
    executor: str | None = None
    params: dict[str, dict[str, Any]] = {}  # {"index": {...}, "search": {...}, "load": {clients, rate, ...}}
    trial: int = Field(0, ge=0, lt=1 << 31)
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


class RunResult(ResultPart):
    """Everything a report, a decision or a gate needs to know of a run.

    environment: cpu, cores, memory_bytes, os, python, packages {}, fingerprint (of the hardware).
    dataset: name, metric, rows, dim, queries, fingerprint, fields [{name, kind, origin, indexed}], description,
    model {name, version, hash} (null where the data name none), filters [{name, selectivity_asked, selectivity_mean,
    selectivity_min, selectivity_max, distinct, queries_without_match}], skipped {filter: reason}, notes [text],
    cautions [text] (where float32 is too coarse).
    scenario: the scenario as it was run (Scenario.model_dump). engines: label -> {version, client, capabilities},
    with a server also what it is, where it ran and its query path.
    """

    schema_version: int = SCHEMA_VERSION
    name: str
    started_at: str  # ISO 8601, UTC
    finished_at: str | None = (
        None  # None while running, after an interruption, or where planned cells are missing
    )
    environment: dict[str, Any]
    dataset: dict[str, Any]
    scenario: dict[str, Any]
    engines: dict[str, dict[str, Any]] = {}
    measurements: list[Measurement] = []
    notes: list[str] = []  # about the run as a whole, such as trials left out for lack of time


def read_result(run: Path) -> RunResult:
    """The result in a run's folder, or in a result file. Raises ConfigurationError.

    The cells of a run that is under way, or was killed, are in a file beside it. Its last line may have been cut
    off by the kill: that cell is left out, and `--resume` measures it again.
    """
    path = run / RESULT if run.is_dir() else run
    header = _header(path)
    if CELLS_KEY in header:
        lines = _cell_lines(path)
        if lines is None:  # the run has ended meanwhile, and its result file has the cells
            header = _header(path)
        if lines is None and CELLS_KEY in header:
            raise ConfigurationError(
                f"{path}: its run has not ended, and the cells are in {CELLS} beside it, which is missing. "
                f"Copy the folder of the run as a whole"
            )
        header.pop(CELLS_KEY, None)
        if lines is not None:
            header["measurements"] = list(_cells(path.with_name(CELLS), lines))
    return _validated(path, header)


def _header(path: Path) -> dict[str, Any]:
    try:
        data = _parse(read_file(path).decode())
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read: {error.strerror}. Give the folder of a run, such as runs/latest"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"{path}: is not JSON: {error}. Take the file as it was written, or run the scenario again"
        ) from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if type(version) is not int or version != SCHEMA_VERSION:
        raise ConfigurationError(
            f"{path}: schema_version is {version!r}, this version reads {SCHEMA_VERSION}. Run the scenario again"
        )
    return data  # type: ignore[no-any-return]


def _cell_lines(path: Path) -> list[bytes] | None:
    """The lines of the file of cells beside a result file; None where there is none."""
    beside = path.with_name(CELLS)
    try:
        lines = read_file(beside).split(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{beside}: cannot be read: {error.strerror}") from error
    return lines if lines[-1] else lines[:-1]


def _cells(path: Path, lines: list[bytes]) -> Iterator[Measurement]:
    for number, line in enumerate(lines, start=1):
        try:
            data = _parse(line.decode())
        except (ValueError, RecursionError) as error:
            if number == len(lines):
                return  # cut off when the run was killed
            raise ConfigurationError(f"{path}: line {number} is not JSON: {error}") from error
        try:
            yield Measurement.model_validate(data)
        except ValidationError as error:
            raise ConfigurationError(f"{path}: line {number}: {_first(error)}") from error


def _validated(path: Path, data: dict[str, Any]) -> RunResult:
    try:
        json.dumps({key: value for key, value in data.items() if key != "measurements"}, allow_nan=False)
        return RunResult.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {_first(error)}") from error
    except ValueError as error:  # a number such as 1e999, which JSON's grammar allows
        raise ConfigurationError(f"{path}: holds a number that is not finite") from error


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))} {first['msg']}"


def _parse(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number that JSON knows")
