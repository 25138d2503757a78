"""Filters in YQL, and values that Vespa cannot hold as they are."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from engines.base import Field, Schema
from engines.filters import And, Eq, Filter, In, Not, Or, Range
from engines.vespa.filters import Yql
from engines.vespa.params import IndexParams
from engines.vespa.values import encoded, stored

SCHEMA = Schema(
    2, "l2", (Field("b", "keyword"), Field("p", "integer"), Field("r", "float"), Field("n", "boolean"))
)
LOWEST, HIGHEST = -(2**63), 2**63 - 1


@pytest.mark.parametrize(
    ("where", "yql"),
    [
        (Eq("b", 'a "b"\n'), r'f0 in ("a \"b\"\n")'),
        (In("b", ("", "\\", "\0", "é")), r'f0 in ("\\", "\\5c\\", "\\0\\", "é")'),
        (Eq("p", 7), "f1 = 7"),
        (Eq("p", LOWEST), "f1_lowest = true"),
        (In("p", (1, -2, LOWEST)), "(f1_lowest = true or f1 in (1, -2))"),
        (In("p", ()), "false"),
        (Range("p", lt=5), f"(range(f1, {LOWEST + 1}, 4) or f1_lowest = true)"),
        (Range("p", gt=5), f"range(f1, 6, {HIGHEST})"),
        (Range("p", lte=LOWEST), "f1_lowest = true"),
        (Range("p", gte=LOWEST), "true"),
        (Eq("r", -0.0), "f2 = 0.0"),
        (In("r", (0.1, 2)), "(f2 = 0.1 or f2 = 2.0)"),
        (Eq("r", float("inf")), "false"),
        (Range("r", gt=1), "range(f2, 1.0000000000000002, Infinity)"),
        (Range("r", lt=1), "range(f2, -Infinity, 0.9999999999999999)"),
        (Range("r", gt=1, gte=0.5, lt=2, lte=1.5), "range(f2, 1.0000000000000002, 1.5)"),
        (Range("r", gt=1.7976931348623157e308), "false"),
        (Range("r", lt=-1.7976931348623157e308), "false"),
        (Range("r", gt=2, lt=1), "false"),
        (Or((Or(()), In("p", ()))), "false"),
        (Or((Or(()), Eq("p", 1))), "f1 = 1"),
        (And((Not(Or(())), Eq("p", 1))), "f1 = 1"),
        (And((Eq("p", 1), Or(()))), "false"),
        (Not(In("n", (True, False))), "false"),
        (Eq("n", False), "f3 = false"),
        (In("n", (True, False, True)), "true"),
        (Not(And((Eq("n", True), Or((Eq("p", 1), Eq("p", 2)))))), "!((f3 = true and (f1 = 1 or f1 = 2)))"),
    ],
)
def test_filters_in_yql(where: Filter, yql: str) -> None:
    assert Yql(SCHEMA).translate(where) == yql


def test_no_two_words_are_stored_alike() -> None:
    characters = ["", "\\", "0", "5", "c", "\0", "\ud800", "\ufffe", "\U0001ffff", "\t", "é"]
    words = {a + b + c + d for a in characters for b in characters for c in characters for d in characters}
    assert len({encoded(word) for word in words}) == len(words)
    assert not any(set(encoded(word)) & set(characters[5:9]) for word in words)
    assert encoded("plain\twörds\r\n") == "plain\twörds\r\n"


def test_cosines_are_those_of_unit_vectors_and_zeros_stay() -> None:
    given = np.array([[3, 4], [0, 0]], np.float32)
    assert stored(given, Schema(2, "cosine")).tolist() == [[np.float32(0.6), np.float32(0.8)], [0, 0]]
    assert stored(given, Schema(2, "ip")) is given


@pytest.mark.parametrize("hosts", [["a", "a"], ["a<b"], [""], ["two words"]])
def test_hosts_are_names(hosts: list[str]) -> None:
    with pytest.raises(ValidationError, match="names of machines"):
        IndexParams(hosts=tuple(hosts))
