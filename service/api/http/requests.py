"""What is read of a request besides its body: path, query, headers; and the body within its limit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from urllib.parse import unquote

from starlette.requests import Request

from engines.values.shown import shown
from service.api.http.problems import ProblemError, invalid
from service.catalogue.checks import id_problem
from service.catalogue.schema import Problem

JSON, NDJSON = "application/json", "application/x-ndjson"
ENTITY_TAG = r'^"([0-9]{1,18})"$'


async def body_of(request: Request, most: int, kinds: tuple[str, ...] = (JSON,)) -> bytes:
    """The whole body. Raises ProblemError where it has more bytes than `most`, or is of another kind."""
    given = media_type(request)
    if given and given not in kinds and not (JSON in kinds and given.endswith("+json")):
        raise ProblemError("media-type", f"Content-Type must be {' or '.join(kinds)}, got {shown(given)}")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > most:
        raise _too_large(most)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise _too_large(most)
        parts.append(part)
    return b"".join(parts)


def _too_large(most: int) -> ProblemError:
    detail = f"the body has more than {most:,} bytes, which are allowed; send less at once"
    return ProblemError("too-large", detail)


def media_type(request: Request) -> str:
    """Of the body, without its parameters; "" where none is given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def listing_id(request: Request) -> str:
    """Of the path, whose parts are still encoded. Raises ProblemError for what can be nobody's id."""
    try:
        found = unquote(request.path_params["id"], errors="strict")
    except UnicodeDecodeError:
        raise invalid([Problem("id", "is not UTF-8 once its percent-encoding is undone")]) from None
    if problem := id_problem(found):
        raise invalid([Problem("id", problem)])
    return found


def query_of(request: Request, known: tuple[str, ...]) -> Mapping[str, str]:
    """The parameters after the ?, each once. Raises ProblemError for others."""
    items = request.query_params.multi_items()
    names = Counter(name for name, _ in items)
    problems = [
        Problem(name, f"is no parameter here (there are: {', '.join(known) or 'none'})")
        for name in names
        if name not in known
    ]
    problems += [Problem(name, "is given more than once") for name, times in names.items() if times > 1]
    if problems:
        raise invalid(problems)
    return dict(items)


def choice(query: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    """A parameter that is one of some words; the first where it is not given. Raises ProblemError."""
    found = query.get(name, known[0])
    if found not in known:
        raise invalid([Problem(name, f"must be {' or '.join(known)}, got {shown(found)}")])
    return found


def expected_version(request: Request) -> int | None:
    """The version that `If-Match: "7"` asks for, 0 for `If-None-Match: *`. Raises ProblemError for other forms."""
    wanted, unwanted = request.headers.get("if-match"), request.headers.get("if-none-match")
    if wanted is not None and unwanted is not None:
        raise invalid([Problem("If-Match", "and If-None-Match exclude each other; send one")])
    if unwanted is not None:
        if unwanted.strip() != "*":
            raise invalid([Problem("If-None-Match", f"must be * with a write, got {shown(unwanted)}")])
        return 0
    if wanted is None:
        return None
    form = re.match(ENTITY_TAG, wanted.strip())
    if form is None:
        problem = f'must be the version in quotes, such as "7", got {shown(wanted)}'
        raise invalid([Problem("If-Match", problem)])
    return int(form[1])


def etag(version: int) -> str:
    """A version as an entity tag."""
    return f'"{version}"'
