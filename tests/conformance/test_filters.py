"""Each operator alone and nested, on values that are awkward to quote, round or compare."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from engines.base import Field, Schema
from engines.filters import And, Eq, Filter, In, Not, Or, Range
from tests.conformance.model import Model
from tests.conformance.subjects import Subject

SCHEMA = Schema(
    4,
    "l2",
    (
        Field("brand name", "keyword"),
        Field("price", "integer"),
        Field("größe", "float"),
        Field("and\"'.", "boolean"),
    ),
)
BRAND, PRICE, SIZE, FLAG = (field.name for field in SCHEMA.fields)
WORDS = [
    "Zara",
    "H&M",
    "",
    " ",
    "it's",
    'say "hi"',
    "back\\slash",
    "\\",
    '\\"',
    "100%",
    "a_b",
    "two\nlines",
    "\r\n\t",
    "日本語",
    "e\u0301",
    "\u00e9",
    "🧥👗",
    "\u2028",
    "zara",
    "Zara ",
    "null",
    "true",
    "1",
    "' or 1 == 1",
    "{x}",
    "$meta",
    "nul\0",
    "x" * 10_000,
    # What would end a value in each engine's query language, and match more, had it not been escaped.
    "') OR TRUE --",  # SQL
    "%s %(brand name)s $1",  # placeholders
    '" or 1 == 1 or "" == "',  # expressions of Milvus
    '") or true or brand contains ("',  # YQL
    '"}}, {"match_all": {}}, {"term": {"x": "',  # JSON
    "* OR _exists_:price",  # Lucene
    "${price} `price` /* // # ;",
    "\u202eleft",  # turns what follows around
]
INTEGERS = [-(2**63), -(2**53) - 1, -(2**53), -1, 0, 1, 2, 3, 2**31, 2**53, 2**53 + 1, 2**60 + 3, 2**63 - 1]
FLOATS = [-1e300, -2.5, -0.0, 5e-324, 0.1, 0.1 + 1e-15, 1.0, 2.5, 1e22, 1e300]
ROWS = 108  # every word three times

EQUALS: list[Filter] = [
    *(Eq(BRAND, word) for word in WORDS),
    *(Eq(PRICE, number) for number in INTEGERS),
    *(Eq(SIZE, number) for number in FLOATS),
    Eq(SIZE, 1),
    Eq(FLAG, True),
    Eq(FLAG, False),
]
OTHERS: list[Filter] = [
    In(BRAND, ("Zara", 'say "hi"', "absent")),
    In(BRAND, tuple(WORDS)),
    In(PRICE, (-(2**63), 3, 2**63 - 1, 77)),
    In(SIZE, (0.1, 1, 77.5)),
    In(FLAG, (True,)),
    In(FLAG, (True, False)),
    Range(PRICE, gt=1),
    Range(PRICE, gte=1),
    Range(PRICE, lt=2),
    Range(PRICE, lte=2),
    Range(PRICE, gt=-1, lt=3),
    Range(PRICE, gt=1.5, lte=2.5),
    Range(PRICE, gte=1.5, lt=2.5),
    Range(PRICE, gte=-1e30, lte=1e30),
    Range(PRICE, gte=2**53 + 1),
    Range(PRICE, lt=2**53 + 1),
    Range(PRICE, gt=-(2**53) - 1, lt=2**53),
    Range(SIZE, gt=0.1),
    Range(SIZE, gte=0.1, lt=1e22),
    Range(SIZE, gt=-1, lte=0),
    Range(SIZE, lt=1),
    And((Eq(FLAG, True), Range(PRICE, gte=0))),
    And((Eq(BRAND, "Zara"),)),
    And(()),
    Or((Eq(BRAND, "Zara"), Eq(BRAND, "zara"), Range(SIZE, gt=1))),
    # Two bounds on one side: both hold.
    Range(SIZE, gt=-3, gte=0.1),
    Range(SIZE, gt=0.1, gte=-3),
    Range(SIZE, gt=0.1, gte=0.1),
    Range(SIZE, lt=1e301, lte=-2.5),
    Range(SIZE, lt=1, lte=1e301),
    Range(SIZE, lt=1, lte=1),
    In(SIZE, (0.0, 1)),
    In(SIZE, (-0.0, 1)),
    Not(In(SIZE, (0.0, 1))),
    Not(Eq(BRAND, "Zara")),
    Not(In(PRICE, (1, 2, 3))),
    Not(Range(SIZE, gt=0)),
    Not(Not(Eq(FLAG, False))),
    And(
        (
            Or((Eq(BRAND, "100%"), Eq(BRAND, "\\"), Eq(FLAG, True))),
            Not(And((Range(PRICE, lt=0), Eq(FLAG, True)))),
        )
    ),
    Or(
        (
            And((Eq(FLAG, True), Or((Eq(PRICE, 0), Eq(PRICE, 1))))),
            Not(Or((Eq(FLAG, True), Range(SIZE, gte=0.1)))),
        )
    ),
]
NOTHING: list[Filter] = [
    Eq(BRAND, "absent"),
    Eq(PRICE, 77),
    Eq(SIZE, 77.5),
    In(BRAND, ()),
    In(PRICE, (77, 78)),
    Range(PRICE, gt=3, lt=4),
    Range(PRICE, gt=5, lt=4),
    Range(PRICE, gt=1e30),
    Range(SIZE, gt=1e301),
    And((Eq(FLAG, True), Eq(FLAG, False))),
    Or(()),
    Or((Or(()), In(BRAND, ()))),
    Not(And(())),
]


@pytest.fixture(scope="module")
def model(shared_subject: Subject) -> Iterator[Model]:
    rng = np.random.default_rng(7)
    model = Model(SCHEMA, shared_subject.created(SCHEMA))
    model.upsert(
        rng.permutation(ROWS),
        rng.integers(-9, 10, (ROWS, 4)),
        **{
            BRAND: [WORDS[row % len(WORDS)] for row in range(ROWS)],
            PRICE: [INTEGERS[row % len(INTEGERS)] for row in range(ROWS)],
            SIZE: [FLOATS[row % len(FLOATS)] for row in range(ROWS)],
            FLAG: [row % 3 == 0 for row in range(ROWS)],
        },
    )
    model.settle()
    yield model
    model.engine.close()


def queries(count: int) -> np.ndarray:
    return np.random.default_rng(8).integers(-9, 10, (count, 4)).astype(np.float32)


def check(model: Model, filters: list[Filter], k: int = 10) -> None:
    failures = []
    for where in filters:
        try:
            model.check_exact(queries(2), k, where)
        except AssertionError as error:
            failures.append(f"{where}: {error}")
    assert not failures, "\n\n".join(failures)


def test_equality(model: Model) -> None:
    check(model, EQUALS)


def test_operators(model: Model) -> None:
    check(model, OTHERS)


def test_filters_that_match_everything_are_no_restriction(model: Model) -> None:
    assert model.matching(And(())) == set(model.items)
    check(model, [And(()), Not(Or(())), Range(PRICE, gte=-(2**63), lte=2**63 - 1)], k=ROWS)


def test_filters_that_match_nothing_find_nothing(model: Model) -> None:
    for where in NOTHING:
        assert not model.matching(where)
        for exact in (False, model.engine.capabilities.exact):
            assert len(model.engine.query(queries(1)[0], 10, where, exact=exact).ids) == 0, where


def test_fewer_matches_than_k(model: Model) -> None:
    where = Eq(BRAND, "日本語")
    assert len(model.matching(where)) == 3
    check(model, [where, And((where, Range(PRICE, gte=0)))], k=50)


def test_ranges_of_integers_that_float64_cannot_hold(model: Model) -> None:
    check(model, [Range(PRICE, gte=2**60 + 3), Range(PRICE, lt=2**60 + 3), Range(PRICE, gt=2**60 + 3)])
