"""The engines' forms of filters, where they deviate from the obvious; what they mean is the conformance suite's."""

from __future__ import annotations

from typing import Any

import pytest

from engines.base import Field, Schema, UnsupportedError
from engines.filters import And, Eq, Filter, In, Not, Or, Range
from engines.qdrant.bounds import exact_bounds

SCHEMA = Schema(
    2,
    "l2",
    (
        Field("brand name", "keyword"),
        Field("price", "integer"),
        Field("rating", "float"),
        Field("new", "boolean"),
    ),
)


@pytest.mark.parametrize(
    ("where", "expression"),
    [
        (Eq("brand name", "Zara"), 'f0 == "Zara"'),
        (Eq("brand name", "a\"b\\c'd%\n\r\té"), 'f0 == "a\\"b\\\\c\'d%\\n\\r\té"'),
        (Eq("brand name", '" or 1 == 1 or f0 == "'), 'f0 == "\\" or 1 == 1 or f0 == \\""'),
        (Eq("price", -5), "f1 == -5"),
        (Eq("rating", 3), "f2 == 3.0"),
        (Eq("rating", 1e-7), "f2 == 1e-07"),
        (Eq("new", True), "f3 == true"),
        (In("brand name", ()), "id < 0"),
        (In("brand name", ("a", "b")), 'f0 in ["a", "b"]'),
        (In("price", (7,)), "f1 == 7"),
        (In("new", (True, False)), "f3 in [true, false]"),
        (Range("price", gt=1.5, lt=10), "f1 >= 2 and f1 < 10"),
        (Range("price", gte=3), "f1 >= 3"),
        (Range("price", lte=3), "f1 < 4"),
        (Range("price", gt=3, lt=4), "id < 0"),
        (Range("price", gte=-1e30, lte=1e30), "id >= 0"),
        (In("rating", (0.0, 1)), "f2 in [0.0, 1.0, 0.0, -0.0]"),
        # The stricter of two bounds on one side; of equal ones that without the value itself.
        (Range("rating", gt=1, gte=2, lt=3, lte=4.5), "f2 >= 2.0 and f2 < 3.0"),
        (Range("rating", gt=1, gte=1, lt=3, lte=3), "f2 > 1.0 and f2 < 3.0"),
        (Range("rating", lte=2, lt=3, gte=0, gt=1), "f2 > 1.0 and f2 <= 2.0"),
        (And(()), "id >= 0"),
        (Or(()), "id < 0"),
        (
            And((Eq("price", 1), Or((Eq("price", 2), Eq("price", 3))))),
            "(f1 == 1) and ((f1 == 2) or (f1 == 3))",
        ),
        (Not(And((Eq("price", 1), Eq("price", 2)))), "not ((f1 == 1) and (f1 == 2))"),
    ],
)
def test_milvus(where: Filter, expression: str) -> None:
    filters = pytest.importorskip("engines.milvus.filters")
    assert filters.Expressions(SCHEMA).translate(where) == expression


@pytest.mark.parametrize(
    "translator", ["engines.milvus.filters:Expressions", "engines.qdrant.edge_filters:Conditions"]
)
@pytest.mark.parametrize("where", [Eq("colour", "red"), In("colour", ()), Not(Range("colour", gt=1))])
def test_missing_fields_are_named(translator: str, where: Filter) -> None:
    module, _, name = translator.partition(":")
    kind = getattr(pytest.importorskip(module), name)
    with pytest.raises(KeyError, match="colour"):
        kind(SCHEMA).translate(where)


def test_qdrant_edge_conditions() -> None:
    qe = pytest.importorskip("qdrant_edge")
    from engines.qdrant.edge_filters import Conditions, as_filter

    def translate(where: Filter) -> Any:
        return as_filter(Conditions(SCHEMA).translate(where))

    (keyword,) = translate(Eq("brand name", "a'b")).must
    assert (keyword.key, keyword.match.value) == ("f0", ["a'b"])
    (flag,) = translate(In("new", (True, False))).must
    assert (flag.key, flag.match.value) == ("f3", [1, 0])
    (interval,) = translate(Range("price", gt=1.5, lt=10)).must
    assert (interval.range.gte, interval.range.lte, interval.range.gt, interval.range.lt) == (
        2,
        9,
        None,
        None,
    )
    (bounds,) = translate(Range("rating", gt=1, lte=4.5)).must
    assert (bounds.range.gte, bounds.range.lte, bounds.range.gt, bounds.range.lt) == (None, 4.5, 1, None)
    points = translate(In("rating", (1, 2.5))).should
    assert [(point.range.gte, point.range.lte) for point in points] == [(1, 1), (2.5, 2.5)]
    assert [inner.key for inner in translate(Or((Eq("price", 1), Eq("new", True)))).should] == [
        "f1",
        "f3",
    ]
    assert [inner.key for inner in translate(Not(Eq("price", 1))).must_not] == ["f1"]
    both = translate(And((Eq("price", 1), Eq("new", True))))
    assert [inner.key for inner in both.must] == ["f1", "f3"]
    for nothing in (Or(()), In("price", ()), Range("price", gt=3, lt=4)):
        (condition,) = translate(nothing).must
        assert isinstance(condition, qe.HasIdCondition)
        assert condition.point_ids == set()


def test_qdrant_refuses_to_round() -> None:
    assert exact_bounds(2**53 + 1, 2**60) == {"gt": 2**53, "lte": 2**60}
    assert exact_bounds(None, -3) == {"lte": -3}
    with pytest.raises(
        UnsupportedError, match=r"float64, which cannot hold {'gte': 1152921504606846979, 'gt'"
    ):
        exact_bounds(2**60 + 3, None)
