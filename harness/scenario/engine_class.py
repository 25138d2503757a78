"""The engine that a user names: a registered one, or a class of the user's own."""

from __future__ import annotations

from pydantic import BaseModel

from engines.base import Capabilities, Engine
from engines.registry import MissingClientError, UnknownEngineError, load
from harness.errors import ConfigurationError


def engine_class(name: str) -> type[Engine]:
    """Raises ConfigurationError where it is none, MissingClientError where it cannot be imported."""
    try:
        kind = load(name)
    except MissingClientError:
        raise
    except UnknownEngineError as error:
        raise ConfigurationError(str(error)) from error
    except (Exception, SystemExit) as error:  # a module of the user's may raise anything
        raise ConfigurationError(f"engine '{name}': {type(error).__name__}: {error}") from error
    parameters = (getattr(kind, member, None) for member in ("IndexParams", "SearchParams"))
    if not (
        isinstance(kind, type)
        and isinstance(getattr(kind, "capabilities", None), Capabilities)
        and all(isinstance(model, type) and issubclass(model, BaseModel) for model in parameters)
    ):
        raise ConfigurationError(
            f"engine '{name}' is no class with `capabilities`, `IndexParams` and `SearchParams`; see engines/base.py"
        )
    return kind
