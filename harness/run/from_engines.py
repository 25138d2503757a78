"""Texts of engines, their clients and servers, made safe for results and terminals. Everything that a session reports
goes through here: credentials are removed, control characters escaped, and long texts cut.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from engines.server.redaction import redact
from harness.results.result import Measurement
from harness.results.text import LONGEST_MESSAGE, head, message_of, visible

LONGEST = 4000  # characters of one text
_NOT_FINITE = "the engine or the machine gave no finite number: {}"
# The fields that the plan gave a cell and that identify it.
_PLANNED = frozenset(
    ("engine", "adapter", "task", "kind", "filter", "executor", "params", "trial", "samples")
)


def from_engine(value: Any) -> Any:
    """A value as it may be kept and shown: texts without credentials, with control characters escaped and of bounded
    length, and numbers finite. Mappings and sequences are gone through; a cell keeps what the plan gave it.
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Measurement):
        return _cell(value)
    if isinstance(value, Mapping):
        return {from_engine(key): from_engine(held) for key, held in value.items()}
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(map(from_engine, value))
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def error_text(error: BaseException) -> str:
    """The kind of an exception and its message, in one text."""
    return from_engine(f"{type(error).__name__}: {message_of(error)}")  # type: ignore[no-any-return]


def _text(text: str) -> str:
    looked_at = head(text, LONGEST_MESSAGE)  # escaping a text of 100 MB takes half a minute
    plain = visible(redact(looked_at))
    left_out = len(plain) - LONGEST + str.__len__(text) - len(looked_at)
    return plain if left_out <= 0 else f"{plain[:LONGEST]}... ({left_out:,} more characters)"


def _cell(cell: Measurement) -> Measurement:
    said = {name: from_engine(getattr(cell, name)) for name in Measurement.model_fields.keys() - _PLANNED}
    wrong = {name: value for name, value in said["metrics"].items() if isinstance(value, str)}
    if wrong:
        said["metrics"] |= dict.fromkeys(wrong)
        said["reasons"] |= {name: _NOT_FINITE.format(value) for name, value in wrong.items()}
    return cell.model_copy(update=said)
