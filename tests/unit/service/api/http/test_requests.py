"""What is read of a request besides its body."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from service.api.http.problems import ProblemError
from service.api.http.requests import body_of, choice, expected_version, listing_id, query_of


def request(
    headers: dict[str, str] | None = None, query: str = "", key: str = "a", parts: tuple[bytes, ...] = ()
) -> Request:
    scope: dict[str, Any] = {
        "type": "http",
        "method": "PUT",
        "path": "/",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
        "path_params": {"id": key},
    }
    messages = [
        {"type": "http.request", "body": part, "more_body": place < len(parts) - 1}
        for place, part in enumerate(parts)
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return Request(scope, receive)


@pytest.mark.parametrize(
    ("headers", "version"),
    [({}, None), ({"If-Match": '"7"'}, 7), ({"If-None-Match": "*"}, 0)],
)
def test_expected_versions(headers: dict[str, str], version: int | None) -> None:
    assert expected_version(request(headers)) == version


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": "7"},
        {"If-Match": 'W/"7"'},
        {"If-Match": '"-1"'},
        {"If-Match": '""'},
        {"If-Match": "*"},
        {"If-None-Match": '"7"'},
        {"If-Match": '"7"', "If-None-Match": "*"},
    ],
)
def test_other_forms_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ProblemError, match=r"If-(None-)?Match: "):
        expected_version(request(headers))


def test_ids_are_decoded_once() -> None:
    assert listing_id(request(key="a%2Fb%252F%C3%A9")) == "a/b%2Fé"
    for key in ("%00", "%FF", "x" * 201, ""):
        with pytest.raises(ProblemError, match="id: "):
            listing_id(request(key=key))


def test_parameters_are_known_and_given_once() -> None:
    found = query_of(request(query="wait=searchable"), ("wait", "version"))
    assert choice(found, "wait", ("acknowledged", "searchable")) == "searchable"
    with pytest.raises(ProblemError) as raised:
        query_of(request(query="wiat=1&wait=1&wait=2"), ("wait",))
    assert [one.field for one in raised.value.errors] == ["wiat", "wait"]
    with pytest.raises(ProblemError, match="wait: must be acknowledged or searchable, got 'soon'"):
        choice({"wait": "soon"}, "wait", ("acknowledged", "searchable"))


def test_a_body_within_its_limit() -> None:
    assert asyncio.run(body_of(request(parts=(b"ab", b"cd")), 4)) == b"abcd"


@pytest.mark.parametrize("headers", [{}, {"content-length": "5"}])
def test_a_body_beyond_it_is_not_read_to_its_end(headers: dict[str, str]) -> None:
    given = request(headers, parts=(b"abc", b"de", b"never read"))
    with pytest.raises(ProblemError) as raised:
        asyncio.run(body_of(given, 4))
    assert raised.value.status == 413


def test_media_types() -> None:
    def read(kind: str) -> bytes:
        return asyncio.run(body_of(request({"content-type": kind}, parts=(b"{}",)), 9))

    assert read("application/json; charset=utf-8") == read("application/merge-patch+json") == b"{}"
    with pytest.raises(ProblemError, match="got 'text/plain'"):
        read("text/plain")
