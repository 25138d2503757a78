"""What a collection says it holds: a line that is kept with it, by a server or in a file, so that none is mistaken."""

from __future__ import annotations

import json
from dataclasses import replace

from pydantic import BaseModel

from engines.base import EngineError, Schema

_REMEDY = "create it again, or open it for the model that it was made with"


def contents(schema: Schema, index: BaseModel) -> str:
    """Model, schema and index parameters of a collection, as one line of JSON in ASCII."""
    about = {"model": schema.model, "schema": repr(replace(schema, model="")), "index": repr(index)}
    return json.dumps(about)


def require_contents(where: str, found: str | None, schema: Schema, index: BaseModel) -> None:
    """Raises EngineError unless what a collection says of itself is what `contents` makes of these.

    where: the collection, as messages name it. found: its line; None if it has none.
    """
    asked, held = json.loads(contents(schema, index)), _read(found)
    if held is None:
        raise EngineError(
            f"{where} does not say which model its vectors are of, and so whether they can be compared with those of "
            f"{_named(schema.model)}: create it again"
        )
    if held["model"] != schema.model:
        raise EngineError(
            f"{where} holds vectors of {_named(held['model'])}, not of {_named(schema.model)}, and those of different "
            f"models cannot be compared: {_REMEDY}"
        )
    if held != asked:
        raise EngineError(
            f"{where} holds another collection, create it again: it has {held['schema']} {held['index']}, not "
            f"{asked['schema']} {asked['index']}"
        )


def _read(line: str | None) -> dict[str, str] | None:
    try:
        held = json.loads(line or "")
    except ValueError:
        return None
    return held if isinstance(held, dict) and {"model", "schema", "index"} <= held.keys() else None


def _named(model: str) -> str:
    return f"model {model}" if model else "a model that is not named"
