"""Items with tags and with values that they lack, and filters on these."""

from __future__ import annotations

from typing import Any

from engines.base import Field, Schema
from engines.filters import And, Eq, Exists, Filter, In, Not, Or, Range

LACKING = Schema(
    4,
    "l2",
    (
        Field("size", "keyword", optional=True),
        Field("stock", "integer", optional=True),
        Field("weight", "float", optional=True),
        Field("sale", "boolean", optional=True),
        Field("brand", "keyword"),
    ),
)
TAGGED = Schema(4, "l2", (Field("colour of it", "tags"), Field("brand", "keyword")))
COLOUR = "colour of it"
WORDS = ["red", "", "it's", 'say "hi"', "back\\slash", "é", "日本語", "null", "a,b", "{x}", "[1]", "red "]
WORDS += ["' or 1 == 1"]
LONG = "long " * 2_000
INTEGERS = [0, -1, 7, -(2**63), 2**63 - 1]
ROWS = 60


def lacking_row(number: int) -> dict[str, Any]:
    return {
        "size": WORDS[number % len(WORDS)] if number % 3 else None,
        "stock": INTEGERS[number % len(INTEGERS)] if number % 4 else None,
        "weight": [0.0, -2.5, 1e300][number % 3] if number % 5 else None,
        "sale": number % 2 == 0 if number % 7 > 2 else None,
        "brand": f"b{number % 4}",
    }


def tagged_row(number: int) -> dict[str, Any]:
    held = [WORDS[(number + step) % len(WORDS)] for step in range(number % 4)]
    return {COLOUR: held, "brand": f"b{number % 4}"}


LACKING_FILTERS: list[Filter] = [
    *(Exists(field.name) for field in LACKING.fields),
    *(Not(Exists(field.name)) for field in LACKING.fields),
    Eq("size", ""),
    In("size", ("red", "null", "absent")),
    Not(In("size", ("red", ""))),
    *(Eq("stock", number) for number in INTEGERS),
    *(Not(Eq("stock", number)) for number in INTEGERS),
    Range("stock", gte=-1, lt=8),
    Range("stock", lt=0),
    Range("stock", gte=-(2**63)),  # every integer, but not what has none
    Not(Range("stock", gt=0)),
    Eq("weight", 0.0),
    In("weight", (0.0, -2.5)),
    Range("weight", lte=0),
    Not(Range("weight", gt=-1e301)),
    Eq("sale", False),
    Not(Eq("sale", False)),
    In("sale", (True, False)),
    And((Not(Eq("size", "red")), Exists("stock"), Eq("brand", "b1"))),
    Or((Not(Exists("sale")), Eq("weight", 1e300), And((Exists("size"), Not(Exists("stock")))))),
    Not(Or((Eq("size", "é"), Not(Exists("weight"))))),
    Not(And((Exists("size"), Not(Eq("stock", 7))))),
    Not(Not(Eq("size", "red"))),
    Not(Not(Not(Range("weight", gt=0)))),
]

TAG_FILTERS: list[Filter] = [
    *(Eq(COLOUR, word) for word in WORDS),
    Eq(COLOUR, "absent"),
    In(COLOUR, ("red", "é", "absent")),
    In(COLOUR, ()),
    Not(Eq(COLOUR, "red")),
    Not(In(COLOUR, ("red", ""))),
    Exists(COLOUR),
    Not(Exists(COLOUR)),
    And((Eq(COLOUR, "red"), Eq(COLOUR, "it's"))),  # has both
    And((Eq(COLOUR, "red"), Not(Eq(COLOUR, "it's")))),
    Or((Eq(COLOUR, ""), Eq("brand", "b2"))),
    Not(And((Exists(COLOUR), Eq("brand", "b1")))),
]
