"""Filters as other systems write them, put into our JSON form: for messages that show what to write, and for data sets
whose filters come in such a form.

Understood are operators with and without a dollar sign ({"$in": [...]}, {"eq": 1}, {">=": 1}), clauses that hold lists
of conditions (must, should, must_not, filter, $and), conditions that name their column in a key ({"key": "brand",
"match": {...}}, {"field": "brand", "op": "=", "value": 1}), conditions that stand around it ({"term": {"brand": 1}})
and dates written as text in a range.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from engines.values.shown import is_unicode

_LONGEST = 300  # characters of a filter in a message
_DEEPEST = 40  # levels; what is nested more deeply is not understood

_JOINS = {
    **dict.fromkeys(("and", "must", "filter"), "and"),
    **dict.fromkeys(("or", "should"), "or"),
    **dict.fromkeys(("not", "mustnot", "nor"), "not"),
}
_WRAPPERS = ("bool", "query", "where", "filters", "constantscore")  # what stands around a whole filter
_AROUND = ("term", "terms", "range", "match", "matchphrase")  # what stands around a column and its condition
_NAMES = ("key", "field", "column", "attribute", "name")  # what holds a column's name
_OPERATORS = ("op", "operator", "operation", "comparison", "type")
_VALUES = ("value", "values")
_BOUNDS = {
    **dict.fromkeys(("gt", ">", "greaterthan"), "gt"),
    **dict.fromkeys(("gte", "ge", ">=", "from", "min", "greaterthanorequal"), "gte"),
    **dict.fromkeys(("lt", "<", "lessthan"), "lt"),
    **dict.fromkeys(("lte", "le", "<=", "to", "max", "lessthanorequal"), "lte"),
}
_EQUAL = ("eq", "=", "==", "equal", "equals", "is", "value", "term", "keyword", "text")
_UNEQUAL = ("ne", "neq", "!=", "<>", "not", "notequal")
_ONE_OF = ("in", "any", "anyof", "oneof", "terms", "containsany")
_NONE_OF = ("nin", "notin", "except", "noneof")
_ALL_OF = ("all", "allof", "containsall")
_TRUE, _FALSE = ("true", "yes"), ("false", "no")
_INNER = ("match", "range", "term", "terms")  # what holds a condition of a column once more


class _UnknownError(Exception):
    """A form that is none of these."""


def translated(data: object, *, typed: bool = False) -> dict[str, Any] | None:
    """Our JSON form of such a filter; None where it is not understood, or is in our form already.

    typed: texts that say a date (milliseconds since 1970), a number or a boolean become one in equalities, too, as in
    ranges. The result has yet to be parsed: values are taken over as they are.
    """
    try:
        ours = _filter(data, typed, 0)
    except _UnknownError:
        return None
    return None if repr(ours) == repr(data) else ours  # 1 equals True


def to_write(ours: dict[str, Any]) -> str:
    """Says to write this filter; empty where it is too long for a message."""
    text = json.dumps(ours, ensure_ascii=False)
    return f"write {text}" if len(text) <= _LONGEST and is_unicode(text) else ""


def milliseconds(text: str) -> int | None:
    """A date or time in ISO 8601 as milliseconds since 1970, UTC where it names no zone; None if it is none."""
    if not text[:4].isdigit() or "-" not in text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _word(key: object) -> str:
    return str(key).lstrip("$").replace("_", "").replace(" ", "").replace("-", "").casefold()


def _filter(data: object, typed: bool, level: int) -> dict[str, Any]:
    if level > _DEEPEST:
        raise _UnknownError
    if isinstance(data, list):
        return _joined("and", data, typed, level)
    if not isinstance(data, Mapping) or not data:
        raise _UnknownError
    named = _named_condition(data, typed, level)
    if named is not None:
        return named
    parts = [_part(key, value, typed, level) for key, value in data.items()]
    return parts[0] if len(parts) == 1 else _both(parts)


def _named_condition(data: Mapping[Any, Any], typed: bool, level: int) -> dict[str, Any] | None:
    """Of a condition that holds its column's name in a key; None of others."""
    name = next((data[key] for key in _NAMES if isinstance(data.get(key), str)), None)
    rest = {key: value for key, value in data.items() if key not in _NAMES}
    if name is None or len(rest) != len(data) - 1:
        return None
    operator = next((rest[key] for key in _OPERATORS if isinstance(rest.get(key), str)), None)
    value = next((key for key in _VALUES if key in rest), None)
    if operator is not None and value is not None and len(rest) == 2:
        return _condition(name, {operator: rest[value]}, typed, level)
    if operator is None and len(rest) == 1 and (_word(next(iter(rest))) in (*_INNER, *_VALUES)):
        return _condition(name, rest, typed, level)
    return None


def _part(key: object, value: object, typed: bool, level: int) -> dict[str, Any]:
    word = _word(key)
    if word in _JOINS and isinstance(value, list | Mapping):
        return _joined(_JOINS[word], value, typed, level)
    if word in _WRAPPERS and isinstance(value, list | Mapping):
        if word == "bool" and "should" in value and len(value) > 1:
            raise _UnknownError  # beside others it only ranks, in some versions
        return _filter(value, typed, level + 1)
    if word in _AROUND and isinstance(value, Mapping):
        return _both([_condition(str(name), inner, typed, level) for name, inner in value.items()])
    return _condition(str(key), value, typed, level)


def _joined(join: str, data: list[Any] | Mapping[Any, Any], typed: bool, level: int) -> dict[str, Any]:
    inner = data if isinstance(data, list) else [data]
    parts = [_filter(one, typed, level + 1) for one in inner]
    if not parts:
        raise _UnknownError
    if join == "not":
        return {"not": parts[0] if len(parts) == 1 else {"or": parts}}
    return parts[0] if len(parts) == 1 else {join: parts}


def _both(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """All of them: in one object where their keys differ."""
    if not parts:
        raise _UnknownError
    merged = {key: value for part in parts for key, value in part.items()}
    return merged if len(merged) == sum(map(len, parts)) else {"and": parts}


def _condition(name: str, value: object, typed: bool, level: int) -> dict[str, Any]:
    """One column's; `value` is what it is compared with, or an object of operators."""
    if level > _DEEPEST:
        raise _UnknownError
    if value is None:
        return {name: {"exists": False}}
    if isinstance(value, list):
        return {name: [_value(one, typed) for one in value]}
    if not isinstance(value, Mapping):
        return {name: _value(value, typed)}
    parts, bounds = [], {}
    for key, operand in value.items():
        word = _word(key)
        if word in _BOUNDS:
            bounds[_BOUNDS[word]] = _number(operand)
        elif word == "between" and isinstance(operand, list) and len(operand) == 2:
            bounds |= {"gte": _number(operand[0]), "lte": _number(operand[1])}
        elif word in _INNER and isinstance(operand, Mapping):
            parts.append(_condition(name, operand, typed, level + 1))
        else:
            parts.append(_operated(name, word, operand, typed))
    return _both([*parts, *([{name: bounds}] if bounds else [])])


def _operated(name: str, word: str, operand: object, typed: bool) -> dict[str, Any]:
    values = [_value(one, typed) for one in operand] if isinstance(operand, list) else None
    if word == "exists":
        return {name: {"exists": _boolean(operand)}}
    if operand is None and word in (*_EQUAL, *_UNEQUAL):
        return {name: {"exists": word in _UNEQUAL}}
    if values is None and not isinstance(operand, Mapping):
        if word in (*_EQUAL, "contains"):
            return {name: _value(operand, typed)}
        if word in _UNEQUAL:
            return {"not": {name: _value(operand, typed)}}
        if word in (*_ONE_OF, *_NONE_OF, *_ALL_OF):  # which take a list
            values = [_value(operand, typed)]
    known: tuple[tuple[tuple[str, ...], Callable[[Any], dict[str, Any]]], ...] = (
        ((*_ONE_OF, *_EQUAL), lambda given: {name: given}),
        ((*_NONE_OF, *_UNEQUAL), lambda given: {"not": {name: given}}),
        (_ALL_OF, lambda given: {name: {"all": given}}),
    )
    for words, form in known:
        if word in words and values is not None:
            return form(values)
    raise _UnknownError


def _value(value: object, typed: bool) -> Any:
    if isinstance(value, Mapping | list) or value is None:
        raise _UnknownError
    if not (typed and isinstance(value, str)):
        return value
    for read in (_boolean, _number):
        try:
            return read(value)
        except _UnknownError:
            pass
    return value


def _boolean(value: object) -> bool:
    """Also of a text or number that stands for one."""
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    word = str(value).strip().casefold()
    if word not in (*_TRUE, *_FALSE):
        raise _UnknownError
    return word in _TRUE


def _number(bound: object) -> Any:
    """A bound as a number: of a date its milliseconds, of a text what it says."""
    if not isinstance(bound, str):
        return _value(bound, typed=False)
    moment = milliseconds(bound)
    if moment is not None:
        return moment
    try:
        return int(bound)
    except ValueError:
        pass
    try:
        return float(bound)
    except ValueError:
        raise _UnknownError from None
