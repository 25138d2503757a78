"""What a source brings: a wish, or what is wrong with it, and where it came from."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from engines.values.shown import shown
from service.catalogue.schema import Problem
from service.writing.carrying import Operation, Wish


@dataclass(frozen=True, slots=True)
class Record:
    """A document of a source.

    place: where in the source, such as {"line": 3}. received: the document as it came, for whoever looks into what is
    wrong: `document` is JSON's values, `text` what is no JSON, `base64` what is no text. wish: the write that it asks
    for, or what is wrong with it. at_ms: when it was made, ms since 1970; None where that is not known.
    """

    place: Mapping[str, int]
    received: Mapping[str, Any]
    wish: Wish | Sequence[Problem]
    at_ms: int | None = None


def record_of(
    place: Mapping[str, int],
    raw: bytes,
    operation: Operation,
    key: str | None = None,
    at_ms: int | None = None,
) -> Record:
    """Of a document in JSON. key: the id where the document has none."""
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Record(place, as_text(raw), [Problem("document", f"is no JSON object: {error}")], at_ms)
    return Record(place, {"document": document}, wish_of(document, operation, key), at_ms)


def as_text(raw: bytes) -> Mapping[str, str]:
    """Bytes as they can be kept in JSON."""
    try:
        return {"text": raw.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def wish_of(document: object, operation: Operation, key: str | None = None) -> Wish | list[Problem]:
    """The write that a document asks for, or what is wrong with it. key: the id where the document has none."""
    if not isinstance(document, dict):
        return [Problem("document", f"must be an object, got {shown(document)}")]
    found = document.get("id", key)
    if found is None:
        return [Problem("id", "is missing; name the listing")]
    if not isinstance(found, str):
        return [Problem("id", f"must be a text, got {shown(found)}")]
    if key is not None and found != key:
        return [Problem("id", f"is {shown(found)}, the record's key {shown(key)}; leave one of them out")]
    return Wish(operation, found, document)
