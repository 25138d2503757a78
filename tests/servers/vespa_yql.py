"""The part of YQL that the adapter uses, read strictly and evaluated with NumPy; part of the stand-in for Vespa."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
LOWEST = -(2**63)  # what Vespa takes for the absence of an integer
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")
    |(?P<number>-?(?:\d+\.\d+|\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[(){},:=!-]))""",
    re.VERBOSE | re.ASCII,
)


class QueryError(Exception):
    """The query is not what Vespa takes."""


@dataclass
class Table:
    """The documents of a schema in columns. types: of the fields, in Vespa's terms. cased: strings that are."""

    types: Mapping[str, str]
    cased: frozenset[str]
    columns: Mapping[str, npt.NDArray[Any]]
    rows: int

    def type(self, name: str) -> str:
        if name not in self.types:
            raise QueryError(f"Field '{name}' does not exist.")
        return self.types[name]


@dataclass
class Query:
    """What a query asks for: the documents that pass, and the operator nearestNeighbor if it is there."""

    source: str = ""
    passes: Callable[[Table], Mask] = lambda table: np.ones(table.rows, np.bool_)
    near: dict[str, Any] | None = None
    near_arguments: tuple[str, str] = ("", "")
    words: list[str] = field(default_factory=list)  # that `contains` asks for
    tokens: list[tuple[str, str]] = field(default_factory=list)


class Reader:
    """Reads one query."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None:
                raise QueryError(f"could not parse '{text[at : at + 40]}'")
            self._tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            at = found.end()
        self._at = 0
        self._query = Query()
        self._depth = 0  # within `or` and `!`, where nearestNeighbor would not be a whole query's

    def read(self) -> Query:
        for word in ("select", "id", "from"):
            self._expect(word)
        self._query.source = self._next("name")
        self._expect("where")
        self._query.passes = self._either()
        if self._at < len(self._tokens):
            raise QueryError(f"'{self._tokens[self._at][1]}' is not expected")
        return self._query

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next(self, *kinds: str) -> str:
        if self._at >= len(self._tokens) or self._tokens[self._at][0] not in kinds:
            raise QueryError(f"'{self._peek()}' where {' or '.join(kinds)} is expected")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _expect(self, word: str) -> None:
        if self._peek() != word:
            raise QueryError(f"'{self._peek()}' where '{word}' is expected")
        self._at += 1

    def _either(self) -> Callable[[Table], Mask]:
        start = self._query.near
        parts = [self._all()]
        while self._peek() == "or":
            self._at += 1
            parts.append(self._all())
        if len(parts) == 1:
            return parts[0]
        if self._query.near is not start:
            raise QueryError("nearestNeighbor within or")
        return lambda table: np.logical_or.reduce([part(table) for part in parts])

    def _all(self) -> Callable[[Table], Mask]:
        parts = [self._one()]
        while self._peek() == "and":
            self._at += 1
            parts.append(self._one())
        return lambda table: np.logical_and.reduce([part(table) for part in parts])

    def _one(self) -> Callable[[Table], Mask]:  # noqa: PLR0911 - one a form
        token = self._peek()
        if token == "!":
            self._at += 1
            self._expect("(")
            start, inner = self._query.near, self._either()
            self._expect(")")
            if self._query.near is not start:
                raise QueryError("nearestNeighbor within !")
            return lambda table: ~inner(table)
        if token == "(":
            self._at += 1
            inner = self._either()
            self._expect(")")
            return inner
        if token == "{":
            return self._near()
        name = self._next("name")
        if name in ("true", "false"):
            return lambda table: np.full(table.rows, name == "true")
        if name == "range":
            return self._range()
        if self._peek() == "in":
            return self._in(name)
        if self._peek() == "contains":
            return self._contains(name)
        self._expect("=")
        return _equal(name, self._next("number", "name"))

    def _near(self) -> Callable[[Table], Mask]:
        if self._query.near is not None:
            raise QueryError("a second nearestNeighbor")
        annotations: dict[str, Any] = {}
        self._expect("{")
        while self._peek() != "}":
            key = self._next("name", "string").strip('"')
            self._expect(":")
            annotations[key] = json.loads(self._next("number", "name"))
            if self._peek() != "}":
                self._expect(",")
        self._expect("}")
        known = {"targetHits": int, "approximate": bool, "hnsw.exploreAdditionalHits": int}
        for key, value in annotations.items():
            if type(value) is not known.get(key):
                raise QueryError(f"nearestNeighbor takes no annotation {key}: {value!r}")
        if annotations.get("targetHits", 0) < 1:
            raise QueryError("nearestNeighbor needs targetHits")
        self._expect("nearestNeighbor")
        self._expect("(")
        name = self._next("name")
        self._expect(",")
        self._query.near, self._query.near_arguments = annotations, (name, self._next("name"))
        self._expect(")")
        return lambda table: np.ones(table.rows, np.bool_)

    def _range(self) -> Callable[[Table], Mask]:
        self._expect("(")
        name = self._next("name")
        self._expect(",")
        low = self._bound()
        self._expect(",")
        high = self._bound()
        self._expect(")")
        return lambda table: _within(table, name, low, high)

    def _bound(self) -> int | float:
        if self._peek() == "-":
            self._at += 1
            self._expect("Infinity")
            return -math.inf
        if self._peek() == "Infinity":
            self._at += 1
            return math.inf
        return number(self._next("number"))

    def _contains(self, name: str) -> Callable[[Table], Mask]:
        self._expect("contains")
        word = json.loads(self._next("string"))
        if not re.fullmatch("[a-z]+", word):
            raise QueryError(f"'{word}' might be taken for several words, or for another one")
        self._query.words.append(word)
        return lambda table: _has(table, name, word)

    def _in(self, name: str) -> Callable[[Table], Mask]:
        self._expect("in")
        self._expect("(")
        values: list[Any] = []
        while True:
            token = self._next("string", "number")
            values.append(json.loads(token) if token.startswith('"') else number(token))
            if self._peek() != ",":
                break
            self._at += 1
        self._expect(")")
        return lambda table: _one_of(table, name, values)


def _has(table: Table, name: str, word: str) -> Mask:
    if table.type(name) != "string" or name in table.cased:
        raise QueryError(f"{name} is not indexed by its words")
    return np.fromiter((word in text.split() for text in table.columns[name]), np.bool_, table.rows)


def number(token: str) -> int | float:
    """A number as YQL reads it. Raises QueryError for integers beyond 64 bits."""
    if not re.fullmatch(r"-?\d+", token):
        return float(token)
    if not -(2**63) < int(token) < 2**63:  # the lowest is read as minus the highest and one
        raise QueryError(f"{token} is no 64-bit integer")
    return int(token)


def _equal(name: str, token: str) -> Callable[[Table], Mask]:
    if token in ("true", "false"):

        def flags(table: Table) -> Mask:
            if table.type(name) != "bool":
                raise QueryError(f"{name} is no bool")
            return np.asarray(table.columns[name] == (token == "true"))

        return flags
    value = number(token)
    return lambda table: _within(table, name, value, value)


def _within(table: Table, name: str, low: float, high: float) -> Mask:
    kind = table.type(name)
    if kind not in ("long", "double"):
        raise QueryError(f"{name} is no number")
    column = table.columns[name]
    if kind == "double":
        return np.asarray((column >= float(low)) & (column <= float(high)))
    if not all(isinstance(bound, int) or math.isinf(bound) for bound in (low, high)):
        raise QueryError(f"{name} is long, {low} or {high} is not")
    mask = column != LOWEST
    if isinstance(low, int):
        mask &= column >= low
    if isinstance(high, int):
        mask &= column <= high
    return np.asarray(mask)


def _one_of(table: Table, name: str, values: list[Any]) -> Mask:
    kind, column = table.type(name), table.columns[name]
    if kind == "long" and all(type(value) is int for value in values):
        return np.asarray(np.isin(column, np.array(values, np.int64)) & (column != LOWEST))
    if kind == "string" and all(isinstance(value, str) for value in values):
        fold: Callable[[str], str] = str if name in table.cased else str.lower
        wanted = {fold(value) for value in values} - {""}  # nothing has the empty word
        return np.fromiter((fold(word) in wanted for word in column), np.bool_, table.rows)
    if kind == "array<string>" and all(isinstance(value, str) for value in values):
        return np.fromiter((not set(values).isdisjoint(words) for words in column), np.bool_, table.rows)
    raise QueryError(f"in is for integers and strings, not for {name} and {values[:3]}")
