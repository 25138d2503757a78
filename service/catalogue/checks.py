"""What single values must be to be stored: each check says what is wrong, "" where nothing is."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from engines.base import Field, Schema, Vectors
from engines.filters import INT64
from engines.values.shown import is_unicode, shown
from harness.data.stored.arrays import LONGEST, SHORTEST

LONGEST_ID = 200
LONGEST_KEYWORD = 500  # characters; some engines index no longer ones
LONGEST_DETAIL = 20_000
_NUMBERS = {int, float}  # no booleans, which isinstance would take


def id_problem(value: object) -> str:
    """What an id must be that this is not; "" if nothing."""
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_ID or not value.isprintable():
        return f"must be 1 to {LONGEST_ID} printable characters, got {shown(value)}"
    return ""


def text_problem(value: object, longest: int) -> str:
    """What a text must be that this is not; "" if nothing."""
    if not isinstance(value, str):
        return f"must be a string, got {shown(value)}"
    if len(value) > longest:
        return f"must have at most {longest:,} characters, has {len(value):,}"
    if "\0" in value or not is_unicode(value):
        return f"holds a NUL or half a surrogate pair, which no database stores, remove it: {shown(value)}"
    return ""


def value_problem(  # noqa: PLR0911 - one a kind
    known: Field, value: object, longest_keyword: int = LONGEST_KEYWORD
) -> str:
    """What the value of a field must be that this is not; "" if nothing. None is a missing value."""
    kind, got = known.kind, f", got {shown(value)}"
    if value is None and known.can_lack:
        return ""
    if kind == "tags":
        return _tags_problem(value, longest_keyword)
    if kind == "keyword":
        return text_problem(value, longest_keyword)
    if kind == "boolean":
        return "" if isinstance(value, bool) else f"must be true or false{got}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"must be a number{got}"
    if kind == "integer":
        whole = isinstance(value, int) and INT64[0] <= value <= INT64[1]
        return "" if whole else f"must be a whole number of 64 bits{got}"
    finite = abs(value) <= sys.float_info.max  # also false of NaN, and compares integers of any size
    return "" if finite else f"must be a finite number of 64 bits{got}"


def _tags_problem(value: object, longest: int) -> str:
    if not isinstance(value, list | tuple):
        return f'must be a list of strings such as ["red", "blue"], got {shown(value)}'
    for place, word in enumerate(value):
        if problem := text_problem(word, longest):
            return f"in place {place}: {problem}"
    return ""


def read_vector(value: object, schema: Schema) -> tuple[Vectors | None, str]:
    """A vector float32[dim], not to be written to, of a list of numbers or an array; and what is wrong with it."""
    if isinstance(value, np.ndarray):
        problem = "" if value.shape == (schema.dim,) else f"has shape {list(value.shape)}"
    else:
        problem = _list_problem(value, schema.dim)
    if problem:
        return None, f"must be a list of {schema.dim} numbers, {problem}"
    try:
        numbers = np.asarray(value, np.float64)
    except OverflowError:  # of integers
        numbers = np.full(1, np.inf)
    length = math.sqrt(numbers.dot(numbers))
    if not length < LONGEST:  # NaN is not
        return None, f"must hold finite numbers and be shorter than {LONGEST:.3g}, its length is {length:.3g}"
    if length < SHORTEST and (length or schema.metric == "cosine"):
        return None, f"must be longer than {SHORTEST:.3g}, its length is {length:.3g}"
    vector = numbers.astype(np.float32)
    vector.setflags(write=False)
    return vector, ""


def _list_problem(value: Any, dim: int) -> str:
    if not isinstance(value, list | tuple):
        return f"is {shown(value)}"
    if len(value) != dim:
        return f"has {len(value)}"
    if set(map(type, value)) <= _NUMBERS:
        return ""
    strange = next(place for place, number in enumerate(value) if type(number) not in _NUMBERS)
    return f"holds {shown(value[strange])} in place {strange}"
