"""The settings of three sources: the command line before the environment before the YAML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from engines.meant import meant
from harness.errors import ConfigurationError, noting
from harness.scenario.strict import explain, read_yaml
from harness.scenario.yaml_text import YamlTextError, parse_yaml
from service.settings.model import Settings

PREFIX = "BAKEOFF_SERVICE_"
KEY = f"{PREFIX}KEY"  # of who calls a service, not of one
CONFIG = f"{PREFIX}CONFIG"  # names the YAML file
_OTHERS = (KEY, CONFIG)
_WITHIN = "__"  # between a key and one within it
_DEFAULT = "default"

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Read:
    """The settings that hold, and by key (`limits.k`) where those come from that are not defaults."""

    settings: Settings
    sources: Mapping[str, str]

    def source(self, key: str) -> str:
        """Where a setting comes from."""
        return next(
            (told for name, told in self.sources.items() if f"{key}.".startswith(f"{name}.")), _DEFAULT
        )


def read_settings(
    path: Path | None, environ: Mapping[str, str], given: Mapping[str, Any] | None = None
) -> Read:
    """path: the YAML file; None: the one that BAKEOFF_SERVICE_CONFIG names, if any. given: by key, of the command line.

    Raises ConfigurationError with every problem of every source.
    """
    problems: list[str] = []
    values: Values = {}
    sources: dict[str, str] = {}
    if path is None and environ.get(CONFIG):
        path = Path(environ[CONFIG])
    if path is not None:
        with noting(problems):
            found = read_yaml(path, "engine, dataset and port")
            problems += _problems(found, str(path))
            _merge(values, found, sources, str(path))
    for name, text in sorted(environ.items()):
        if name.startswith(PREFIX) and name not in _OTHERS and text:
            with noting(problems):
                found = _of_variable(name, text)
                problems += _problems(found, name)
                _merge(values, found, sources, name)
    found = {name: value for name, value in (given or {}).items() if value is not None}
    problems += _problems(found, "command line")
    _merge(values, found, sources, "command line")
    if problems:
        raise ConfigurationError(problems)
    settings = Settings.model_validate(values)
    if settings.limits.k > settings.retrieval.most:
        raise ConfigurationError(
            f"limits.k: {settings.limits.k:,} is more than retrieval.most, {settings.retrieval.most:,}, the listings "
            "that are looked at; lower the one or raise the other"
        )
    return Read(settings, sources)


def _problems(values: Values, source: str) -> list[str]:
    try:
        Settings.model_validate(values)
    except ValidationError as error:
        return explain(error, source, values, Settings)
    return []


def _merge(
    into: Values,
    values: Mapping[str, Any],
    sources: dict[str, str],
    source: str,
    *,
    model: type[BaseModel] = Settings,
    within: str = "",
) -> None:
    """Sets what `values` hold, key by key within the parts; a mapping that a user fills is replaced whole."""
    for key, value in values.items():
        part, place = part_of(model, key), f"{within}{key}"
        if part is None or not isinstance(value, Mapping):
            into[key] = value
            sources[place] = source
            continue
        kept = into.get(key)
        into[key] = dict(kept) if isinstance(kept, Mapping) else {}
        _merge(into[key], value, sources, source, model=part, within=f"{place}.")


def part_of(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """The settings within a setting, None where it is a value."""
    field = model.model_fields.get(key)
    kind = None if field is None else field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _of_variable(name: str, text: str) -> Values:
    """What a variable sets. Raises ConfigurationError where it sets nothing, or is no YAML."""
    known = {variable(*place): place for place in leaves()}
    place = known.get(name)
    if place is None:
        remedy = meant(name, known) or "remove it, or prefix it otherwise"
        raise ConfigurationError(f"{name}: sets nothing; {remedy}")
    value: Any = text
    if _is_structured(place):
        try:
            value = parse_yaml(text)
        except YamlTextError as error:
            raise ConfigurationError(f"{name}: {error}") from error
    for key in reversed(place):
        value = {key: value}
    return dict(value)


def leaves(model: type[BaseModel] = Settings) -> Iterator[tuple[str, ...]]:
    """Every setting by its keys, such as ("limits", "k")."""
    for key in model.model_fields:
        part = part_of(model, key)
        yield from [(key,)] if part is None else [(key, *inner) for inner in leaves(part)]


def variable(*place: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + _WITHIN.join(place).upper()


def _is_structured(place: tuple[str, ...]) -> bool:
    """Whether a setting is a list or a mapping, written in a variable as YAML; other values are taken as they are."""
    model: type[BaseModel] = Settings
    for key in place[:-1]:
        model = part_of(model, key) or model
    kinds = [model.model_fields[place[-1]].annotation]
    while kinds:
        kind = kinds.pop()
        if getattr(kind, "__origin__", kind) in (dict, tuple, list):
            return True
        kinds += get_args(kind)
    return False
