"""Random filters: nested, over values of the catalogue and beyond, and some that are none. Each by its number."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from engines.columns import Value
from engines.filters import And, Eq, Exists, Filter, In, Not, Or, Range
from engines.values.filter_syntax import to_json

WORDS = (
    "Zara", "zara", "Zara ", "H&M", "", " ", "it's", 'say "hi"', "back\\slash", '\\"', "100%", "a_b", "two\nlines",
    "\r\n\t", "日本語", "e\u0301", "\u00e9", "🧥👗", "\u2028", "\u202e", "\ufeff", "null", "true", "1", "NaN",
    "x" * 400,
    "' OR 1=1 --", "'; DROP TABLE listings; --", '" or 1 == 1 or brand == "', '") or true or brand contains ("',
    '"}, "should": [{"match_all": {}}], "x": {"y": "', "%s", "%(brand)s", "${brand}", "*:*", "$1", "{x}", "\x1a\x7f",
)  # fmt: skip
INTEGERS = (-(2**63), -(2**53) - 1, -(2**53), -1, 0, 1, 2, 3, 2**31, 2**53, 2**53 + 1, 2**60 + 3, 2**63 - 1)
FLOATS = (-1e300, -2.5, -0.0, 5e-324, 0.1, 0.1 + 1e-15, 1.0, 2.5, 19.99, 1e22, 1e300)
BOUNDS = (-1e308, 1e308, 0.5, 2**64, -(2**64), 1e30, 3.0000000001)
NONSENSE: tuple[Any, ...] = (
    None, [], {}, [[]], [None], {"gte": "1"}, {"$gt": 1}, {"gt": None}, {"gte": True}, {"exists": 1}, {"all": []},
    {"all": ["red"], "gt": 1}, {"exists": True, "all": ["red"]}, 10**400, "\ud800", {"or": 1},
    [{}], {"": {}}, -0.0, "x" * 5000,
)  # fmt: skip
KINDS = {
    "brand": "keyword",
    "stock": "integer",
    "price": "float",
    "new": "boolean",
    "colours": "tags",
    "size": "keyword",
    "weight": "float",
    "count": "integer",
    "used": "boolean",
}


def generated(number: int) -> tuple[Filter | None, Any]:
    """The filter of this number and its JSON; None: the JSON is of none that fits the catalogue, or may be."""
    rng = random.Random(number)
    where = _filter(rng, rng.choice((0, 1, 1, 2, 2, 3, 4)))
    if rng.random() < 0.05:  # as deep as it may be, and deeper
        for _ in range(rng.randrange(15, 25)):
            where = rng.choice(_WRAPPED)(where)
        return None, to_json(where)
    data = to_json(where)
    if rng.random() < 0.15:
        _spoil(rng, data)
        return None, data
    return where, data


_WRAPPED: tuple[Callable[[Filter], Filter], ...] = (Not, lambda one: And((one,)), lambda one: Or((one,)))


def _filter(rng: random.Random, levels: int) -> Filter:
    if levels == 0:
        return _leaf(rng)
    inner = tuple(_filter(rng, levels - 1) for _ in range(rng.choice((0, 1, 2, 2, 3))))
    match rng.randrange(4):
        case 0:
            return And(inner)
        case 1:
            return Or(inner)
        case 2:
            return Not(inner[0] if inner else And(()))
    return _leaf(rng)


def _leaf(rng: random.Random) -> Filter:
    name = rng.choice(tuple(KINDS))
    kind = KINDS[name]
    match rng.randrange(5 if kind in ("integer", "float") else 3):
        case 0:
            return Exists(name)
        case 1:
            return Eq(name, _value(rng, kind))
        case 2:
            return In(name, tuple(_value(rng, kind) for _ in range(rng.choice((0, 1, 2, 3, 8)))))
    bounds = rng.sample(("gt", "gte", "lt", "lte"), rng.choice((1, 1, 2, 3)))
    return Range(name, **{bound: _number(rng, kind) for bound in bounds})


def _value(rng: random.Random, kind: str) -> Value:
    match kind:
        case "keyword" | "tags":
            if rng.random() < 0.8:
                return rng.choice(WORDS)
            points = (rng.choice((rng.randrange(0x80), rng.randrange(0xD800), 0x1F9E5)) for _ in range(4))
            return "".join(map(chr, points))
        case "integer":
            near = rng.choice(INTEGERS) + rng.choice((-1, 0, 0, 0, 1))
            return min(max(near, INTEGERS[0]), INTEGERS[-1])
        case "float":
            return rng.choice(
                (rng.choice(FLOATS), rng.choice(FLOATS), rng.uniform(-3, 3), rng.choice(INTEGERS))
            )
    return rng.random() < 0.5


def _number(rng: random.Random, kind: str) -> float:
    return rng.choice(
        (rng.choice(BOUNDS), rng.choice(INTEGERS), rng.choice(FLOATS), float(_value(rng, kind)))
    )


def _spoil(rng: random.Random, data: Any) -> None:
    """Puts nonsense in some place of a filter's JSON, or under some name."""
    while isinstance(data, dict | list) and data:
        key = rng.choice(list(data) if isinstance(data, dict) else range(len(data)))
        if not isinstance(data[key], dict | list) or not data[key] or rng.random() < 0.4:
            data[key] = rng.choice(NONSENSE)
            return
        data = data[key]
    if isinstance(data, dict):
        data[rng.choice(("colour", "brand.keyword", "id", "$where", "\0", ""))] = rng.choice(NONSENSE)
