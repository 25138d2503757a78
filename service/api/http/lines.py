"""Bodies that hold many things: a list, or one a line."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from service.api.http.decoding import parse
from service.api.http.problems import invalid
from service.api.http.requests import NDJSON
from service.catalogue.schema import Problem


def lines_of(body: bytes, by_line: bool, most: int, what: str) -> Sequence[bytes | msgspec.Raw]:
    """The JSON of each, not read yet: one at a time they keep the event loop waiting for less.

    by_line: one a line, otherwise a list. what: the word for several. Raises ProblemError for more than `most`.
    """
    lines = [line for line in body.splitlines() if line.strip()] if by_line else _items(body, what)
    if len(lines) > most:
        text = f"has {len(lines):,} {what}, of which {most:,} are allowed at once"
        raise invalid([Problem("body", text)])
    return lines


def _items(body: bytes, what: str) -> Sequence[msgspec.Raw]:
    try:
        return msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if isinstance(parse(body), list):
            raise
        detail = f"must be a list of {what}, or one a line with Content-Type {NDJSON}"
        raise invalid([Problem("body", detail)]) from None
