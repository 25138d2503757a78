"""The keys that a model takes at some place of the data; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

Models = set[type[BaseModel]]


def known_keys(kind: Any, location: tuple[int | str, ...]) -> set[str]:
    """What may stand beside an unknown key at `location`, as pydantic tells it: keys, numbers, and the members of
    unions that it has tried. kind: what was validated, a model or another annotation.
    """
    models = _models(kind)
    for part in location[:-1]:
        if isinstance(part, str):
            inner = [m.model_fields[part].annotation for m in models if part in m.model_fields]
            models = set().union(*map(_models, inner)) if inner else _members(models, part)
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


def _models(annotation: Any) -> Models:
    """The models that a value of this annotation may be, or hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return set().union(*map(_models, get_args(annotation)))


def _members(models: Models, part: str) -> Models:
    """Those that a part of a location means which is no key: a member of a union by its tag or its class; all of them
    where it is the key of a mapping.
    """
    return {model for model in models if model.__name__ == part or part in _tags(model)} or models


def _tags(model: type[BaseModel]) -> Iterator[Any]:
    for field in model.model_fields.values():
        if get_origin(field.annotation) is Literal:
            yield from get_args(field.annotation)
