"""Bodies that nobody thought of: right ones with something put in their place, or in any of their members."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service.launch import Service
from tests.service.shop import DIM, document

ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20),
        st.sampled_from(
            ["brand", "price", "gte", "and", "or", "not", "id", "\x00", "\ud800", "x" * 300, 10**30]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                st.sampled_from(["brand", "price", "new", "gte", "lt", "and", "or", "not", "id", "at_ms"]),
                st.text(max_size=5),
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)
QUESTION: dict[str, Any] = {
    "vector": [1.0] * DIM,
    "k": 3,
    "where": {"brand": ["Zara"], "price": {"gte": 1, "lt": 90}, "not": {"stock": 7}},
    "mode": "auto",
    "short": "relax",
    "explain": True,
    "seen": ["listing/1"],
    "seller": "anna",
    "variant": "default",
}
HISTORY: dict[str, Any] = {
    "history": ["listing/1", {"id": "listing/2", "at_ms": 3}],
    "k": 2,
    "preferences": {},
}
RIGHT = [
    ("POST", "/v1/recommendations", QUESTION),
    ("POST", "/v1/recommendations", HISTORY),
    (
        "POST",
        "/v1/search",
        {"text": "linen shirt", "rank": "text", "k": 3, "where": {"or": [{"stock": 1}, {"new": True}]}},
    ),
    ("PUT", "/v1/listings/fuzzed", document(version=1)),
    ("PATCH", "/v1/listings/fuzzed", {"price": 3.0, "version": 2}),
    ("POST", "/v1/listings:bulk", [{"id": "fuzzed", **document()}, {"id": "fuzzed-2", **document()}]),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


@st.composite
def changed(draw: st.DrawFn) -> tuple[str, str, Any]:
    """A right request with something else in one to three places, or under a name of its own."""
    method, path, right = draw(st.sampled_from(RIGHT))
    body = copy.deepcopy(right)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(body)))
        put = draw(ANYTHING)
        if not place:
            body = put if draw(st.integers(0, 9)) == 0 else body
            continue
        inner = body
        for key in place[:-1]:
            inner = inner[key]
        if isinstance(inner, dict) and draw(st.integers(0, 4)) == 0:
            inner[draw(st.text(max_size=5))] = put
        else:
            inner[place[-1]] = put
    return method, path, body


@given(request_=changed())
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_body_is_answered_by_a_bug(service: Service, request_: tuple[str, str, Any]) -> None:
    method, path, body = request_
    reply = service.ask(method, path, body)
    assert reply.status in (200, 400, 404, 409, 422), (body, reply.body)
    if reply.status != 200:
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.body["detail"]
