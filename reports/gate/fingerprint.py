"""Whether runs can be compared at all: the same scenario, data, hardware and servers; and what else differs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from harness.results.model import model_of, named
from harness.results.result import RunResult

# What of a scenario decides which work a cell does. Trials, time limits and the decision may differ.
_SCENARIO_KEYS = ("name", "dataset", "rows", "queries", "k", "seed", "filters", "tasks")
FORCEABLE = ("scenario", "dataset", "hardware", "server")
_TAG = re.compile(r"(@sha256:[0-9a-f]+|:[\w.-]+)+$")


def differences(baseline: RunResult, current: RunResult) -> dict[str, Any]:
    """What of FORCEABLE differs, each with how; runs that differ in one of them measured different things."""
    found = {}
    keys = [key for key in _SCENARIO_KEYS if baseline.scenario.get(key) != current.scenario.get(key)]
    if keys:
        found["scenario"] = ", ".join(f"{key} differs" for key in keys)
    for name, label, before, after in (
        ("dataset", "name", baseline.dataset, current.dataset),
        ("hardware", "cpu", baseline.environment, current.environment),
    ):
        marks = before.get("fingerprint"), after.get("fingerprint")
        if marks[0] != marks[1]:
            names = before.get(label), after.get(label)
            shown = names if names[0] != names[1] else marks
            found[name] = f"{shown[0]} became {shown[1]}"
    models = model_of(baseline.dataset), model_of(current.dataset)
    if models[0] != models[1]:  # the cause of whatever else differs: their vectors lie in different spaces
        found["dataset"] = f"model {named(models[0])} became {named(models[1])}"
    if servers := list(_server_changes(baseline, current)):
        found["server"] = "; ".join(servers)
    return found


def _server_changes(baseline: RunResult, current: RunResult) -> Iterator[str]:
    """How engines on servers run: what started them, where, from which image (its tag is a version), within what."""
    launched = False
    for label, before, after in _common(baseline, current):
        facts = [_server(entry) for entry in (before, after)]
        for key in dict.fromkeys([*facts[0], *facts[1]]):
            old, new = (entry.get(key) for entry in facts)
            if old != new:
                yield f"{label}: {key} {_shown(old)} became {_shown(new)}"
        launched |= any(entry.get("run") in ("process", "container") for entry in facts)
    limits = [run.scenario.get("limits") or {} for run in (baseline, current)]
    if launched:
        for key in dict.fromkeys([*limits[0], *limits[1]]):
            old, new = (entry.get(key) for entry in limits)
            if old != new:
                yield f"limits: {key} {_shown(old)} became {_shown(new)}"


def _server(entry: Mapping[str, Any]) -> dict[str, Any]:
    facts = dict(entry.get("server") or {})
    if isinstance(facts.get("image"), str):
        facts["image"] = _TAG.sub("", facts["image"])
    return facts


def _shown(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _common(
    baseline: RunResult, current: RunResult
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    for label, after in current.engines.items():
        before = baseline.engines.get(label)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield label, before, after


def version_changes(baseline: RunResult, current: RunResult) -> list[str]:
    """Which versions differ, one sentence each: of engines, images, packages and Python. A gate may compare those."""
    found = []
    for label, before, after in _common(baseline, current):
        pairs: list[tuple[str, Any, Any]] = [("version", before.get("version"), after.get("version"))]
        images = [(entry.get("server") or {}).get("image") for entry in (before, after)]
        if _server(before) == _server(after):
            pairs.append(("image", images[0], images[1]))
        found += [
            f"{label}: {what} {_shown(old)} became {_shown(new)}" for what, old, new in pairs if old != new
        ]
    for name, old, new in _packages(baseline, current):
        found.append(f"{name} {_shown(old)} became {_shown(new)}")
    return found


def _packages(baseline: RunResult, current: RunResult) -> Iterator[tuple[str, Any, Any]]:
    sides = [{"python": run.environment.get("python")} | (run.environment.get("packages") or {})
             for run in (baseline, current)]  # fmt: skip
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        old, new = (side.get(name) for side in sides)
        if old != new:
            yield name, old, new
