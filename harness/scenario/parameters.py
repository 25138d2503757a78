"""Engine parameters from a scenario, checked by the engine's own models."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from engines.base import Engine
from harness.errors import ConfigurationError
from harness.scenario.cells import Params
from harness.scenario.strict import explain


def index_params(kind: type[Engine], given: Params, label: str) -> BaseModel:
    """Build-time parameters. Raises ConfigurationError naming every wrong key and value."""
    return _validate(kind.IndexParams, given, f"engine {label}: index")


def search_params(kind: type[Engine], given: Params, label: str) -> BaseModel:
    """Query-time parameters. Raises ConfigurationError naming every wrong key and value."""
    return _validate(kind.SearchParams, given, f"engine {label}: search")


def _validate(model: type[BaseModel], given: Params, where: str) -> BaseModel:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        known = ", ".join(model.model_fields) or "none"
        raise ConfigurationError(
            [f"{line} (parameters: {known})" for line in explain(error, where, given)]
        ) from error
