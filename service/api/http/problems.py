"""What goes wrong, as application/problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from service.catalogue.schema import Problem

MEDIA_TYPE = "application/problem+json"
TOLD = 50  # problems named in an answer
# By the last part of a problem's type: status and title. /docs explains each.
KINDS: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The body is no JSON"),
    "invalid": (422, "The request cannot be carried out as it is"),
    "unauthorized": (401, "A valid API key is needed"),
    "forbidden": (403, "This may not be asked"),
    "not-found": (404, "There is no such thing"),
    "not-allowed": (405, "The method is not allowed here"),
    "conflict": (412, "The listing has another version"),
    "stale": (409, "A write that is not older was here before"),
    "taken": (409, "The id of an event is another one's"),
    "too-large": (413, "The body is too large"),
    "media-type": (415, "The body is of another media type"),
    "rate-limited": (429, "The holder of the API key asks more often than allowed"),
    "overloaded": (503, "Too much is asked at once"),
    "unavailable": (503, "Something that is needed does not answer"),
    "deadline": (504, "There was no time left"),
    "internal": (500, "A bug of the service"),
}


class ProblemError(Exception):
    """Ends a request with a problem. kind: a key of KINDS. errors: what is wrong, field by field.

    more: further members of the body, such as the version that a listing has.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        errors: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail
        self.errors, self.headers, self.more = errors, dict(headers or {}), more

    @property
    def status(self) -> int:
        """The status of the answer."""
        return KINDS[self.kind][0]

    def body(self, **ids: str) -> dict[str, Any]:
        """The problem as an object, with these ids of its request."""
        status, title = KINDS[self.kind]
        body: dict[str, Any] = {"type": f"/docs#{self.kind}", "title": title, "status": status}
        body["detail"] = self.detail
        body |= ids
        if self.errors:
            body["errors"] = [{"field": one.field, "detail": one.detail} for one in self.errors]
        return body | self.more

    def response(self, **ids: str) -> Response:
        """The answer, with these ids of its request."""
        content = msgspec.json.encode(self.body(**ids))
        return Response(content, self.status, self.headers, MEDIA_TYPE)


def invalid(problems: Sequence[Problem]) -> ProblemError:
    """The problem of a request with these faults, of which the first are named and the others counted."""
    told = list(problems[:TOLD])
    if len(problems) > TOLD:
        told.append(Problem("body", f"{len(problems) - TOLD:,} more problems of these kinds"))
    return ProblemError("invalid", "; ".join(map(str, told)), told)
