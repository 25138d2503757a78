"""The engines as text: installed or not, what they can do, their parameters with defaults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from pydantic import BaseModel

from engines.registry import ENGINES, MissingClientError, load
from harness.errors import ConfigurationError
from harness.run.from_engines import error_text
from harness.scenario.engine_class import engine_class


def describe_engines(only: str | None = None) -> str:
    """A line an engine; for one engine by name, its capabilities and parameters too. Raises ConfigurationError."""
    if only is None:
        return _lines(list(ENGINES))
    try:
        kind = engine_class(only)
    except MissingClientError as error:
        if only in ENGINES:
            return _lines([only])
        raise ConfigurationError(str(error)) from error
    able = [name for name, value in asdict(kind.capabilities).items() if value is True]
    lines = [
        _lines([only]),
        f"  metrics: {', '.join(kind.capabilities.metrics)}",
        f"  can: {', '.join(able)}",
    ]
    lines += ["  index parameters:", *_parameters(kind.IndexParams)]
    lines += ["  search parameters:", *_parameters(kind.SearchParams)]
    return "\n".join(lines)


def _lines(names: Sequence[str]) -> str:
    states = [_state(name) for name in names]
    widths = [max(map(len, column)) for column in (names, states)]
    return "\n".join(
        f"{name:{widths[0]}}  {state:{widths[1]}}  {ENGINES[name].summary if name in ENGINES else ''}".rstrip()
        for name, state in zip(names, states, strict=True)
    )


def _state(name: str) -> str:
    try:
        return load(name).version()
    except MissingClientError:
        return f"not installed; {ENGINES[name].install}"
    except Exception as error:  # noqa: BLE001 - of a class of the user's
        return f"its version() fails: {error_text(error)}"


def _parameters(model: type[BaseModel]) -> list[str]:
    rows = []
    for name, field in model.model_fields.items():
        kind = str(field.annotation).replace("typing.", "").removeprefix("<class '").removesuffix("'>")
        rows.append(f"    {name} = {field.default!r}  ({kind}) {field.description or ''}".rstrip())
    return rows or ["    none"]
