"""What differs between runs: data, scenario, engines, machine, software; only what does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.results.model import model_of, named
from harness.results.result import RunResult
from reports.wording import settings, shortened

ABSENT = "–"
_NAMES = (
    "label",
    "name",
    "engine",
    "task",
)  # by which entries of a list are told apart, the first one that is there
_LONGEST = 120  # characters of a value
_FINGERPRINT = 12  # digits of one: enough to tell two apart, where all would push other runs out of sight
_DATA = ("name", "rows", "dim", "metric", "queries", "fingerprint")
_SCENARIO = ("name", "description", "engines")  # told apart by the runs' names, or shown for each engine
_ENGINE = ("version", "client", "server", "query_path")


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting or fact that is not the same in all runs. values: a text a run."""

    group: str
    name: str
    values: tuple[str, ...]


def differences(results: Sequence[RunResult]) -> list[Difference]:
    """Everything that was asked for or given and is not the same in all runs, grouped."""
    groups: list[tuple[str, list[Any]]] = [
        ("Data", [_data(result.dataset) for result in results]),
        ("Scenario", [_without(result.scenario, _SCENARIO) for result in results]),
        ("Engines", [_engines(result) for result in results]),
        ("Machine", [_without(result.environment, ("packages", "python")) for result in results]),
        ("Software", [_software(result.environment) for result in results]),
    ]
    return [
        Difference(group, " · ".join(path), tuple(_text(path, value) for value in values))
        for group, sides in groups
        for path, values in _differing((), sides)
    ]


def _differing(
    path: tuple[str, ...], values: Sequence[Any]
) -> Iterator[tuple[tuple[str, ...], Sequence[Any]]]:
    """The innermost places where the values are not all the same."""
    if all(value == values[0] for value in values):
        return
    sides = [_by_name(value) for value in values]
    known = [side for side in sides if side is not None]
    if len(known) < len(sides) or (not path and not any(known)):
        yield path, values
        return
    for key in dict.fromkeys(key for side in known for key in side):
        yield from _differing((*path, key), [side.get(key) for side in known])


def _by_name(value: Any) -> dict[str, Any] | None:
    """A mapping as it is, a list of mappings by their names; None for everything else."""
    if isinstance(value, Mapping):
        return dict(value)
    if not isinstance(value, list) or not value or not all(isinstance(entry, Mapping) for entry in value):
        return None
    return {_name(entry): entry for entry in value}


def _name(entry: Mapping[str, Any]) -> str:
    return str(next((entry[key] for key in _NAMES if entry.get(key)), "?"))


def _without(facts: Mapping[str, Any], left_out: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if key not in left_out}


def _data(dataset: Mapping[str, Any]) -> dict[str, Any]:
    facts = {key: dataset.get(key) for key in _DATA}
    model = model_of(dataset)
    return facts | {"model": named(model) if model else None}


def _engines(result: RunResult) -> dict[str, Any]:
    """What was asked of each engine, and what it was."""
    asked = _by_name(result.scenario.get("engines") or []) or {}
    found: dict[str, Any] = {}
    for label in dict.fromkeys([*asked, *result.engines]):
        entry = result.engines.get(label) or {}
        found[label] = dict(asked.get(label) or {}) | {key: entry.get(key) for key in _ENGINE}
    return found


def _software(environment: Mapping[str, Any]) -> dict[str, Any]:
    return {"python": environment.get("python")} | (environment.get("packages") or {})


def _text(path: Sequence[str], value: Any) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, Mapping):
        own = {key: held for key, held in value.items() if key not in _NAMES and held not in (None, {}, [])}
        text = settings(own) or "yes"
    elif isinstance(value, list):
        text = ", ".join(_text(path, entry) for entry in value) or "none"
    elif path and path[-1].endswith("_bytes") and isinstance(value, int):
        text = f"{value / 2**30:.1f} GiB"
    elif path and path[-1] == "fingerprint":
        text = str(value)[:_FINGERPRINT]
    elif isinstance(value, bool):
        text = str(value).lower()
    else:
        text = f"{value:,g}" if isinstance(value, float) else str(value)
    return shortened(text, _LONGEST)
