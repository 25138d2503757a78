"""The engines as text: installed or not, what they can do, their parameters with defaults."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import BaseModel

from engines.registry import ENGINES, MissingClientError, UnknownEngineError, load
from harness.errors import ConfigurationError


def describe_engines(only: str | None = None) -> str:
    """A line an engine; for one engine by name, its capabilities and parameters too. Raises ConfigurationError."""
    if only is None:
        return "\n".join(_line(name) for name in ENGINES)
    try:
        kind = load(only)
    except UnknownEngineError as error:
        raise ConfigurationError(str(error)) from error
    except MissingClientError:
        return _line(only)
    able = [name for name, value in asdict(kind.capabilities).items() if value is True]
    lines = [_line(only), f"  metrics: {', '.join(kind.capabilities.metrics)}", f"  can: {', '.join(able)}"]
    lines += ["  index parameters:", *_parameters(kind.IndexParams)]
    lines += ["  search parameters:", *_parameters(kind.SearchParams)]
    return "\n".join(lines)


def _line(name: str) -> str:
    entry = ENGINES[name]
    try:
        state = load(name).version()
    except MissingClientError:
        state = f"not installed; {entry.install}"
    return f"{name:12} {state:28} {entry.summary}"


def _parameters(model: type[BaseModel]) -> list[str]:
    rows = []
    for name, field in model.model_fields.items():
        kind = str(field.annotation).replace("typing.", "").removeprefix("<class '").removesuffix("'>")
        rows.append(f"    {name} = {field.default!r}  ({kind}) {field.description or ''}".rstrip())
    return rows or ["    none"]
