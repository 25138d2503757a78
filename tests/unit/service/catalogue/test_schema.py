"""Documents checked against a catalogue's schema."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.base import Field, Schema
from harness.errors import ConfigurationError
from service.catalogue.checks import id_problem
from service.catalogue.schema import CatalogueSchema, InvalidDocumentError

ENGINE = Schema(
    3,
    "cosine",
    (
        Field("brand", "keyword"),
        Field("price", "float"),
        Field("listed", "integer"),
        Field("sale", "boolean"),
    ),
)
SCHEMA = CatalogueSchema(
    ENGINE, {"sale": False}, ("title", "image", "seller"), ("title",), ("title",), "seller", "brand", "listed"
)
WHOLE = {"brand": "Zara", "price": 12, "listed": 5, "title": "a coat", "vector": [1, 0, 0.5]}


def problems(document: object, *, partial: bool = False) -> list[str]:
    with pytest.raises(InvalidDocumentError) as raised:
        SCHEMA.read(document, partial=partial)
    return [str(problem) for problem in raised.value.problems]


def test_a_whole_document_is_read_and_filled() -> None:
    fields = SCHEMA.read(WHOLE)
    assert fields.attributes == {"brand": "Zara", "price": 12.0, "listed": 5, "sale": False}
    assert type(fields.attributes["price"]) is float
    assert fields.details == {"title": "a coat"}
    assert fields.vector is not None
    assert fields.vector.dtype == np.float32
    assert not fields.vector.flags.writeable


def test_a_patch_says_only_what_it_says() -> None:
    fields = SCHEMA.read({"price": 3.5}, partial=True)
    assert fields.attributes == {"price": 3.5}
    assert not fields.details
    assert fields.vector is None


def test_everything_that_is_wrong_is_named_at_once() -> None:
    found = problems({"brnd": "Zara", "price": math.nan, "listed": True, "sale": 1, "vector": [1, 2]})
    assert [line.split(":")[0] for line in found] == [
        "brnd", "price", "listed", "sale", "vector", "brand", "title"
    ]  # fmt: skip
    assert "did you mean 'brand'" in found[0]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("brand", 3, "must be a string"),
        ("brand", "x" * 501, "at most 500"),
        ("brand", "a\0b", "NUL"),
        ("brand", "\ud800", "surrogate"),
        ("price", "12", "must be a number"),
        ("price", 10**400, "finite"),
        ("listed", 3.0, "whole number"),
        ("listed", 2**63, "64 bits"),
        ("sale", "yes", "true or false"),
        ("title", None, "must be a string"),
        ("vector", None, "list of 3 numbers"),
        ("vector", [1, 2, "3"], "'3' in place 2"),
        ("vector", [1, True, 3], "True in place 1"),
        ("vector", [1, 2, math.nan], "finite"),
        ("vector", [1, 2, 1e39], "shorter"),
        ("vector", [1, 2, 10**400], "finite"),
        ("vector", [0, 0, 0], "longer"),
        ("vector", np.ones((3, 1)), "shape [3, 1]"),
        ("vector", [[1], [2], [3]], "[1] in place 0"),
        ("id", "a", "no field"),
    ],
)
def test_values_that_cannot_be_stored_are_refused(name: str, value: object, said: str) -> None:
    (found,) = problems({name: value}, partial=True)
    assert found.startswith(f"{name}: ")
    assert said in found


@pytest.mark.parametrize("document", [None, [], "x", 3])
def test_what_is_no_object_is_refused(document: object) -> None:
    assert problems(document) == [f"document: must be an object, got {document!r}"]


ANYTHING = st.one_of(st.none(), st.floats(), st.integers(), st.sampled_from(["", "a\0", "é"]))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries({}, optional={name: st.just(value) | ANYTHING for name, value in WHOLE.items()}))
def test_any_document_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        fields = SCHEMA.read(document)
    except InvalidDocumentError as error:
        assert error.problems
    else:
        assert fields.attributes.keys() == {field.name for field in ENGINE.fields}


def test_ids_are_short_and_printable() -> None:
    assert not id_problem("a" * 200)
    assert not id_problem("Größe 7/b")
    for wrong in ("", "a" * 201, "a\nb", "a\0", "\ud800", 7, None):
        assert id_problem(wrong)


def test_a_schema_that_contradicts_itself_names_every_contradiction() -> None:
    with pytest.raises(ConfigurationError) as raised:
        CatalogueSchema(
            ENGINE, {"price": "x", "size": 1}, ("brand", "vector"), ("title",), (), "price", "who", "price"
        )
    said = raised.value.problems
    for part in ("'brand' is named twice", "called 'vector'", "'title' is no detail", "seller: 'price'",
                 "brand: 'who'", "listed_at: 'price'", "fill: 'price' must", "fill: 'size' is no field"):  # fmt: skip
        assert [line for line in said if part in line], part
    assert len(said) == 8


def test_keywords_may_be_as_long_as_the_catalogue_says() -> None:
    wider = CatalogueSchema(ENGINE, {"sale": False}, ("title",), longest_keyword=600)
    word = "x" * 600
    assert wider.read({"brand": word}, partial=True).attributes == {"brand": word}
    with pytest.raises(InvalidDocumentError, match="brand: must have at most 600 characters, has 601"):
        wider.read({"brand": word + "x"}, partial=True)
    assert problems({"brand": word}, partial=True) == ["brand: must have at most 500 characters, has 600"]
