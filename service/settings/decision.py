"""Which engine to start: what a run of the benchmark decided, or what the configuration says instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from engines.registry import ENGINES
from engines.values.shown import shown
from harness.errors import ConfigurationError
from harness.paths import read_file
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


class _Engine(_Part):
    sentence: str


class _Standing(_Part):
    engine: str
    choice: _Choice | None


class _Dataset(_Part):
    name: str | None = None


class Decision(_Part):
    """What is read of a decision.json."""

    schema_version: Literal[1]
    run: str
    sentence: str
    pick: _Choice | None
    picked_engine: _Engine | None = None
    leader: _Choice | None
    standings: list[_Standing]
    dataset: _Dataset


@dataclass(frozen=True, slots=True)
class Chosen:
    """An adapter's name with the parameters to start it with, and why it is this one, in words to be told.

    measured_on: the name of the data set on which these parameters were measured; "" where they were not.
    """

    adapter: str
    index: Mapping[str, Any]
    search: Mapping[str, Any]
    why: str
    measured_on: str = ""


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
        lines = explain(error, str(path), values, Decision)
        raise ConfigurationError([f"{line}; write it again with bakeoff report" for line in lines]) from error


def choose(
    decision: Decision | None,
    engine: str | None,
    index: Mapping[str, Any] | None = None,
    search: Mapping[str, Any] | None = None,
) -> Chosen:
    """The engine called `engine`; without a name the pick of the decision, or its leader.

    A name may be that of an engine in the decision, which then has its best setting, or of an adapter, which has its
    own defaults; `index` and `search` are set on top. Raises ConfigurationError.
    """
    index, search = dict(index or {}), dict(search or {})
    if engine is not None:
        found = _measured(decision, engine)
        if decision is not None and found is not None:
            why = f"{found.title} as asked for, set as in run {decision.run}"
            data = decision.dataset.name or ""
            return Chosen(found.adapter, found.index | index, found.search | search, why, data)
        if engine not in ENGINES and ":" not in engine:
            others = [one.engine for one in decision.standings] if decision else []
            known = ", ".join(dict.fromkeys([*others, *ENGINES]))
            raise ConfigurationError(f"engine: {shown(engine)} is not known (known: {known})")
        return Chosen(engine, index, search, f"{engine} as asked for")
    if index or search:
        raise ConfigurationError(
            "index and search: are parameters of an engine that is named; set engine, too"
        )
    if decision is None:
        return Chosen(DEFAULT, {}, {}, f"{DEFAULT}, for no decision and no engine was named")
    taken = decision.pick or decision.leader
    if taken is not None:
        why = f"{taken.title}, the pick of run {decision.run}"
        if decision.picked_engine is not None:
            why = f"{taken.title}, the setting to start with in run {decision.run} ({decision.picked_engine.sentence})"
        if decision.pick is None:
            reason = decision.sentence.removeprefix("No decision: ")
            why = f"{taken.title}, which leads run {decision.run} but is no decision: {reason}"
        return Chosen(taken.adapter, taken.index, taken.search, why, decision.dataset.name or "")
    raise ConfigurationError(
        f"run {decision.run} has neither a pick nor a leader ({decision.sentence}); name an engine with --engine"
    )


def _measured(decision: Decision | None, engine: str) -> _Choice | None:
    standings = () if decision is None else decision.standings
    return next((one.choice for one in standings if one.engine == engine), None)
