"""The parameters: which engine the service keeps its index in, and with which parameters of that engine's."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engines.base import Capabilities
from engines.registry import MissingClientError, UnknownEngineError, load

NAME = "http-service"


class IndexParams(BaseModel):
    """engine: the one behind the service, by its name in the registry. index, search: its own parameters.

    A service is started with all of them, so none can be changed while it runs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    engine: str = "bruteforce"
    index: dict[str, Any] = Field(default_factory=dict)
    search: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_to_that_engine(self) -> IndexParams:
        if self.engine == NAME:
            raise ValueError("engine: a service behind a service is not offered, name the engine itself")
        try:
            kind = load(self.engine)
        except (UnknownEngineError, MissingClientError) as error:
            raise ValueError(f"engine: {error}") from error
        problems = [
            f"{part}.{'.'.join(map(str, one['loc']))}: {one['msg']}"
            for part, model in (("index", kind.IndexParams), ("search", kind.SearchParams))
            for one in _errors(model, getattr(self, part))
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @cached_property
    def behind(self) -> Capabilities:
        """What the engine behind the service can do with these parameters."""
        kind = load(self.engine)
        engine = kind(Path(), kind.IndexParams(**self.index))  # which does no I/O
        engine.configure(kind.SearchParams(**self.search))
        return engine.capabilities


class SearchParams(BaseModel):
    """None: the engine's are among the index parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _errors(model: type[BaseModel], given: dict[str, Any]) -> list[Any]:
    try:
        model.model_validate(given)
    except ValidationError as error:
        return list(error.errors(include_url=False, include_context=False, include_input=False))
    return []
