"""Which engine to start: what a run of the benchmark decided, or what the configuration says instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from engines.base import Engine
from engines.registry import ENGINES, MissingClientError
from harness.errors import ConfigurationError, noting
from harness.paths import read_file
from harness.scenario.engine_class import engine_class
from harness.scenario.parameters import index_params, search_params
from harness.scenario.strict import explain

FILE = "decision.json"
VERSION = 1
DEFAULT = "bruteforce"  # exact, and needs nothing installed


class _Part(BaseModel):
    """Some of the keys of something larger."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Choice(_Part):
    engine: str
    adapter: str
    index: dict[str, Any]
    search: dict[str, Any]
    title: str


class _Standing(_Part):
    engine: str
    choice: _Choice | None


class _Dataset(_Part):
    name: str | None = None
    model: dict[str, Any] | None = None


class Decision(_Part):
    """What is read of a decision.json."""

    schema_version: Literal[1]
    run: str
    sentence: str
    pick: _Choice | None
    leader: _Choice | None
    standings: list[_Standing]
    dataset: _Dataset


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine with the parameters to start it with, and why it is this one, in a sentence to be told.

    kind: its class. index, search: its `IndexParams` and `SearchParams`.
    """

    adapter: str
    kind: type[Engine] = field(repr=False)
    index: BaseModel
    search: BaseModel
    why: str


def read_decision(path: Path) -> Decision:
    """Of a decision.json, or of the folder of a run. Raises ConfigurationError."""
    path = path / FILE if path.is_dir() else path
    try:
        values = json.loads(read_file(path))
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read: {error.strerror}; name decision.json of a run, which bakeoff run writes"
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            f"{path}: is no JSON ({error}); write it again with bakeoff report {path.parent}"
        ) from error
    try:
        return Decision.model_validate(values)
    except ValidationError as error:
        lines = explain(error, str(path), values)
        raise ConfigurationError([f"{line}; write it again with bakeoff report" for line in lines]) from error


def choose(
    decision: Decision | None,
    engine: str | None,
    index: Mapping[str, Any] | None = None,
    search: Mapping[str, Any] | None = None,
) -> EngineChoice:
    """The engine called `engine`; without a name the pick of the decision, or its leader.

    A name may be that of an engine in the decision, which then has its best setting, or of an adapter, which has the
    parameters `index` and `search` and its own defaults. Raises ConfigurationError, also where these do not fit, and
    where the client library of the engine is missing.
    """
    index, search = dict(index or {}), dict(search or {})
    if engine is not None:
        found = _standing(decision, engine)
        if found is not None:
            return _checked(
                found.adapter,
                found.index | index,
                found.search | search,
                f"{found.title}, as was asked for, with the parameters of run {decision.run if decision else ''}",
            )
        return _checked(engine, index, search, f"{engine}, as was asked for")
    if index or search:
        raise ConfigurationError(
            "index and search are parameters of an engine that is named; set engine, too"
        )
    if decision is None:
        return _checked(DEFAULT, {}, {}, f"{DEFAULT}, for nothing was decided and no engine is named")
    if decision.pick is not None:
        pick = decision.pick
        return _checked(
            pick.adapter, pick.index, pick.search, f"{pick.title}, the pick of run {decision.run}"
        )
    if decision.leader is not None:
        leader = decision.leader
        why = f"{leader.title}, the leader of run {decision.run}, which is no decision: {decision.sentence}"
        return _checked(leader.adapter, leader.index, leader.search, why)
    raise ConfigurationError(
        f"run {decision.run} has neither a pick nor a leader ({decision.sentence}); name an engine with --engine"
    )


def _standing(decision: Decision | None, engine: str) -> _Choice | None:
    standings = () if decision is None else decision.standings
    return next((one.choice for one in standings if one.engine == engine), None)


def _checked(adapter: str, index: dict[str, Any], search: dict[str, Any], why: str) -> EngineChoice:
    if adapter not in ENGINES and ":" not in adapter:
        raise ConfigurationError(f"engine {adapter!r} is not known (known: {', '.join(ENGINES)})")
    try:
        kind = engine_class(adapter)
    except MissingClientError as error:
        raise ConfigurationError(str(error)) from error
    problems: list[str] = []
    with noting(problems):
        index_parameters = index_params(kind, index, adapter)
    with noting(problems):
        search_parameters = search_params(kind, search, adapter)
    if problems:
        raise ConfigurationError(problems)
    return EngineChoice(adapter, kind, index_parameters, search_parameters, why)
