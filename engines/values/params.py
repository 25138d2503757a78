"""What engines with several kinds of index share in checking their parameters."""

from __future__ import annotations

from pydantic import BaseModel


def changed(params: BaseModel) -> list[str]:
    """The parameters that differ from their defaults.

    Not the parameters that were given: those read back from a result name every one.
    """
    fields = type(params).model_fields
    return [name for name, field in fields.items() if getattr(params, name) != field.default]
