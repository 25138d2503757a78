"""Users' YAML, read strictly: no unknown keys, and every problem reported with file, key and value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from engines.meant import meant
from engines.values.shown import shown
from harness.errors import ConfigurationError
from harness.paths import read_file
from harness.scenario.known_keys import known_keys
from harness.scenario.yaml_text import YamlTextError, parse_yaml

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
LONGEST_S = 1e6  # eleven days; the kernel's clocks take no 1e308
Seconds = Annotated[float, Field(gt=0, le=LONGEST_S)]
# A value that stands alone is a list of one.
Listed = BeforeValidator(lambda value: value if isinstance(value, list | tuple) else [value])

Model = TypeVar("Model", bound=BaseModel)
_SUBJECT = re.compile(r"^(Input|String|List|Tuple|Dictionary) should ")


class StrictModel(BaseModel):
    """Base of everything read from such a file: immutable, no unknown keys, no infinite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_number_is_true(cls, data: Any) -> Any:
        """`k: yes` would pass for 1."""
        if not isinstance(data, Mapping):
            return data
        return {
            name: value if name not in cls.model_fields or takes_boolean(cls, name) else _no_number(value)
            for name, value in data.items()
        }


class _Boolean:
    """A boolean that pydantic takes for no number."""

    def __init__(self, value: bool) -> None:
        self._value = value

    def __repr__(self) -> str:
        return repr(self._value)


def _no_number(value: Any) -> Any:
    if isinstance(value, list):
        return [_no_number(one) for one in value]
    if isinstance(value, dict):
        return {key: _no_number(one) for key, one in value.items()}
    return _Boolean(value) if isinstance(value, bool) else value


def takes_boolean(model: type[BaseModel], name: str) -> bool:
    """Whether a field is of booleans, among others; one that is not of numbers refuses them anyway."""
    kinds = set(_kinds(model.model_fields[name].annotation))
    return bool in kinds or not kinds & {int, float}


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _kinds(part)


def read_yaml(path: Path, example: str) -> dict[str, Any]:
    """The keys of a YAML file; none where it is empty. Raises ConfigurationError.

    example: keys that such a file holds, named where it is a file of another kind.
    """
    try:
        data = parse_yaml(read_file(path).decode())
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not UTF-8 text: {error}") from error
    except YamlTextError as error:
        raise ConfigurationError(f"{path}: {error}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}: must hold keys such as {example}, got {type(data).__name__}")
    return data


def validated(kind: type[Model], data: object, source: str) -> Model:
    """The data as a model. source: what messages begin with. Raises ConfigurationError with every problem."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(explain(error, source, data, kind)) from error


def explain(error: ValidationError, source: str, data: object, kind: Any) -> list[str]:
    """One line a problem: `source: key message, got value`. data: what was validated, as `kind`."""
    # By key and value: several where a union of types refuses it.
    messages: dict[tuple[str, str], list[str]] = {}
    for problem in error.errors(include_url=False):
        if problem["type"] == "too_short" and len(problem["input"]) >= problem["ctx"]["min_length"]:
            continue  # only because its items are wrong, which are reported themselves
        key = _key(problem["loc"], data, missing=problem["type"] == "missing")
        message, got = problem["msg"].removeprefix("Value error, "), ""
        context = problem.get("ctx", {})
        tag = str(context.get("discriminator", "")).strip("'")  # the key that selects the model
        match problem["type"]:
            case "value_error":
                pass
            case "missing":
                message = "is missing"
            case "extra_forbidden":
                near = meant(str(problem["loc"][-1]), known_keys(kind, problem["loc"]))
                message = f"is not a known key, {near or 'remove it or correct its spelling'}"
            case "union_tag_not_found":
                key, message = f"{key}.{tag}", "is missing"
            case "union_tag_invalid":
                key = f"{key}.{tag}"
                message = f"must be one of {context['expected_tags']}, got '{context['tag']}'"
            case _:
                message, got = _SUBJECT.sub("must ", message), f", got {shown(problem['input'])}"
        messages.setdefault((key, got), []).append(message)
    lines = []
    for (key, got), told in messages.items():
        parts = [f"{' or '.join(told)}{got}"] if got else "\n".join(told).split("\n")
        lines += [f"{source}: {key} {part}" if key else f"{source}: {part}" for part in parts]
    return list(dict.fromkeys(lines))


def _key(location: tuple[int | str, ...], data: object, *, missing: bool) -> str:
    """A place in the data as written there; pydantic's also names the members of unions it tried.

    missing: the last part is not in the data.
    """
    key = ""
    for depth, part in enumerate(location):
        if isinstance(part, int) and isinstance(data, list | tuple):
            key += f"[{part}]"
            data = data[part] if part < len(data) else None  # one that is missing
        elif isinstance(part, str) and isinstance(data, Mapping):
            last = depth == len(location) - 1
            if part in data or (last and missing):
                key += f".{part}"
            data = data.get(part, data)
    return key.lstrip(".")
