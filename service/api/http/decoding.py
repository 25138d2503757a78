"""Bodies from bytes: quickly where they are right, and with every problem named where they are not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar, get_args

import msgspec
from msgspec import Struct

from engines.meant import meant
from engines.values.shown import shown
from service.api.http.problems import TOLD, ProblemError, invalid
from service.catalogue.schema import Problem

Body = TypeVar("Body", bound=Struct)
# What other services call our members.
_SYNONYMS = {
    "filter": "where",
    "filters": "where",
    "limit": "k",
    "top_k": "k",
    "topk": "k",
    "query": "text",
    "q": "text",
    "embedding": "vector",
}
_DECODERS: dict[type[Struct], msgspec.json.Decoder[Any]] = {}


def decode(body: bytes, kind: type[Body]) -> Body:
    """Raises ProblemError: no JSON, or what is wrong with each member of it."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.json.Decoder(kind)
    try:
        found: Body = decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _explained(parse(body), kind) from None
    return found


def parse(body: bytes) -> Any:
    """Any JSON. Raises ProblemError."""
    if not body.strip():
        raise ProblemError("malformed", "the body is empty; send JSON")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProblemError(
            "malformed",
            f"{error or 'there is none'}; send JSON (RFC 8259) in UTF-8, in which NaN and Infinity cannot be written",
        ) from None
    except RecursionError:
        raise ProblemError("malformed", "the JSON is nested too deep; flatten it") from None


def convert(members: Mapping[str, Any], kind: type[Body]) -> Body:
    """The same of parameters in an address, whose numbers are text. Raises ProblemError."""
    try:
        return msgspec.convert(members, kind, strict=False)
    except msgspec.ValidationError:
        raise _explained(members, kind, strict=False) from None


def _explained(data: Any, kind: type[Struct], *, strict: bool = True) -> ProblemError:
    """What is wrong with data that have been refused, member by member."""
    if not isinstance(data, Mapping):
        return invalid([Problem("body", f"must be an object, got {shown(data)}")])
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    problems: list[Problem] = []
    for name, value in data.items():
        field = fields.get(name)
        if field is None:
            # To look for a similar name takes long, and a body may hold a great many.
            near = _meant(name, fields) if len(problems) < TOLD else ""
            remedy = near or f"there are: {', '.join(fields)}"
            problems.append(Problem(name, f"is not known ({remedy})"))
            continue
        try:
            msgspec.convert(value, field.type, strict=strict)
        except msgspec.ValidationError as error:
            message, _, place = str(error).partition(" - at `$")
            text = f"{_requirement(message, field.type)}, got {shown(value)}"
            problems.append(Problem(f"{name}{place.removesuffix('`')}", text))
    problems += [
        Problem(name, "is missing") for name, field in fields.items() if field.required and name not in data
    ]
    return invalid(
        problems or [Problem("body", "cannot be read: a member is there twice, and is wrong once")]
    )


def _meant(name: str, known: Collection[str]) -> str:
    synonym = _SYNONYMS.get(name.casefold())
    if synonym is not None:
        return meant(synonym, {synonym} & set(known))
    return meant(name, known)


def _requirement(message: str, kind: Any) -> str:
    """What msgspec says, as the rest of a sentence about a member of this type."""
    if message.startswith("Invalid enum value"):
        return f"must be one of {', '.join(map(str, get_args(kind)))}"
    return message.replace("Expected ", "must be ", 1)
