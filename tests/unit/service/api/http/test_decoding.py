"""Bodies from bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.api.http.bodies import Asking, Recommendations
from service.api.http.decoding import convert, decode, parse
from service.api.http.problems import ProblemError


def refused(body: bytes) -> ProblemError:
    with pytest.raises(ProblemError) as raised:
        decode(body, Recommendations)
    return raised.value


def errors(value: Any) -> dict[str, str]:
    problem = refused(json.dumps(value).encode())
    assert problem.status == 422
    return {one.field: one.detail for one in problem.errors}


def test_a_right_body_is_read() -> None:
    body = decode(
        b'{"k": 3, "history": ["a", {"id": "b", "at_ms": 5}], "where": {"brand": "Zara"}}', Recommendations
    )
    assert body.k == 3
    assert body.history is not None
    assert [getattr(one, "at_ms", one) for one in body.history] == ["a", 5]


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"k": NaN}', b'{"vector": [Infinity]}', b"\xff", b'{"k": 1} x', b"[" * 100_000]
)
def test_what_is_no_json(body: bytes) -> None:
    problem = refused(body)
    assert (problem.kind, problem.status) == ("malformed", 400)


def test_every_problem_is_named_with_value_and_remedy() -> None:
    found = errors(
        {
            "k": 0,
            "mode": "quick",
            "histry": [],
            "filter": {"brand": "Zara"},
            "query": "a red coat",  # text, which only a search has
            "explain": "yes",
            "vector": [1, "two"],
            "preferences": {"colour": 3},
            "seen": ["x" * 201],
        }
    )
    assert found["k"] == "must be `int` >= 1, got 0"
    assert found["mode"] == "must be one of approximate, exact, auto, got 'quick'"
    assert found["histry"] == "is not known (did you mean 'history'?)"
    assert found["filter"] == "is not known (did you mean 'where'?)"
    assert found["query"].startswith("is not known (there are: k, where,")
    assert found["explain"] == "must be `bool`, got `str`, got 'yes'"
    assert found["vector[1]"].startswith("must be `float`")
    assert found["preferences[...]"].endswith("got {'colour': 3}")
    assert found["seen[0]"].startswith("must be `str` of length <= 200")
    assert len(found) == 9


def test_a_body_that_is_no_object() -> None:
    assert errors([1]) == {"body": "must be an object, got [1]"}


def test_numbers_beyond_float64_are_no_numbers() -> None:
    assert refused(b'{"vector": [1e999]}').kind == "malformed"
    huge = b"9" * 400
    assert (
        refused(b'{"history": [{"id": "a", "at_ms": ' + huge + b"}]}").errors[0].field == "history[0].at_ms"
    )


def test_parameters_of_an_address_are_text() -> None:
    body = convert({"k": "7", "explain": "true", "mode": "exact"}, Asking)
    assert (body.k, body.explain, body.mode) == (7, True, "exact")
    with pytest.raises(ProblemError, match="k: must be `int` >= 1"):
        convert({"k": "0"}, Asking)
    with pytest.raises(ProblemError, match="k: "):
        convert({"k": "seven"}, Asking)


def test_any_json() -> None:
    assert parse(b'[1, {"a": null}]') == [1, {"a": None}]
