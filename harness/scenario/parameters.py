"""Engine parameters from a scenario, checked by the engine's own models."""

from __future__ import annotations

import math

from pydantic import BaseModel, ValidationError

from engines.base import Engine
from engines.values.shown import shown
from harness.errors import ConfigurationError
from harness.scenario.cells import Params
from harness.scenario.strict import explain, takes_boolean


def index_params(adapter_class: type[Engine], given: Params, label: str) -> BaseModel:
    """Build-time parameters. Raises ConfigurationError naming every wrong key and value."""
    return _validate(adapter_class.IndexParams, given, f"engine {label}: index")


def search_params(adapter_class: type[Engine], given: Params, label: str) -> BaseModel:
    """Query-time parameters. Raises ConfigurationError naming every wrong key and value."""
    return _validate(adapter_class.SearchParams, given, f"engine {label}: search")


def _validate(model: type[BaseModel], given: Params, place: str) -> BaseModel:
    """place: its name in messages."""
    try:
        params = model.model_validate(given)
    except ValidationError as error:
        known = ", ".join(model.model_fields) or "none"
        raise ConfigurationError(
            [f"{line} (parameters: {known})" for line in explain(error, place, given, model)]
        ) from error
    wrong = [
        f"{place}.{name} must be a number or text, got {value}"
        for name, value in given.items()
        if isinstance(value, bool) and not takes_boolean(model, name)
    ] + [  # written as text, such as "inf", which pydantic reads as a number
        f"{place}.{name} must be a finite number, got {shown(given[name])}"
        for name in given
        if isinstance(value := getattr(params, name, None), float) and not math.isfinite(value)
    ]
    if wrong:
        raise ConfigurationError(wrong)
    return params
