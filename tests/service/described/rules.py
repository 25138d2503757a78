"""What the service's description cannot say, told to schemathesis, which loads this as its extension."""

from __future__ import annotations

import re
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.service.shop import DIM

WHOLE = {"stock", "version", "k"}
schemathesis.openapi.format("printable", st.text(st.characters(codec="utf-8")).filter(str.isprintable))

# Requests that follow the description and are refused all the same, by field: no schema can say these.
_REFUSALS = (
    ("vector", "must be longer than"),
    ("where", "nothing can match"),
    ("where", "an empty 'or' matches nothing"),
    ("where", r"holds [\d,]+ comparisons"),
    ("where", "and, or and not are nested more than"),
    ("where", "'(and|or|not)' must not hold an empty filter"),
    ("where", r"is integer, it cannot equal -?[\d.]+(e\+?\d+)?$"),
    (r".+", r"must be `int( \| null)?`, got `float`"),  # 1.0, which to JSON Schema is an integer
    (r".+", r"must be a whole number .*, got -?[\d.]+(e\+?\d+)?$"),
    ("preferences", "they need a model"),
    ("rank", "no model here makes vectors of text"),
    ("listing", "there is no listing"),
    ("at_ms", "by the caller's clock"),
    ("(request_id|position)", "is missing, which an impression needs"),
)


@schemathesis.hook
def before_call(_ctx: Any, case: Any, _kwargs: Any) -> None:
    """Puts right what no schema can ask for, so that most of what follows the description is accepted."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    headers, body = case.headers, case.body
    if headers and "If-None-Match" in headers:  # both conditions exclude each other
        headers.pop("If-Match", None)
        if case.method != "PUT":
            headers.pop("If-None-Match")
    if headers and "If-Match" in headers:  # schemathesis takes the quotes away
        headers["If-Match"] = f'"{headers["If-Match"].strip(chr(34))}"'
    if isinstance(body, dict):
        if isinstance(body.get("vector"), list):  # each number is within the limit, and so its length
            body["vector"] = [number / DIM for number in body["vector"]]
        for name in WHOLE & body.keys():  # 1.0, which to JSON Schema is an integer
            body[name] = int(body[name])


def _body(response: Any) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _is_beyond_the_description(body: dict[str, Any]) -> bool:
    errors = body.get("errors", ())
    return bool(errors) and all(
        any(
            re.fullmatch(name, error["field"]) and re.search(text, error["detail"])
            for name, text in _REFUSALS
        )
        for error in errors
    )


@schemathesis.check
def what_follows_the_description_is_accepted(ctx: Any, response: Any, case: Any) -> None:
    beyond = response.status_code == 422 and _is_beyond_the_description(_body(response))
    if beyond or response.status_code in (412, 413):
        return
    positive_data_acceptance(ctx, response, case)


@schemathesis.check
def what_does_not_is_refused(ctx: Any, response: Any, case: Any) -> None:
    # Of many listings or events each is refused on its own.
    refused = response.status_code == 200 and _body(response).get("failed")
    if refused or response.status_code in (412, 413):
        return
    negative_data_rejection(ctx, response, case)
