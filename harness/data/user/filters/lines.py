"""A user's filters, one a query: the lines of filters.jsonl, or the texts of a column, read strictly."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.filters import Filter
from engines.values.filter_dialects import to_write
from engines.values.filter_syntax import FilterSyntaxError, advised, parse
from engines.values.shown import shown
from harness.data.dataset import Attribute, filter_problems
from harness.data.user.filters.faults import FilterFaults, what_fits
from harness.errors import ConfigurationError
from harness.paths import read_file

_LONGEST_NUMBER = 400  # digits; beyond any number that a column can hold
_LONGEST_LITERAL = 10_000  # characters of what may be Python instead of JSON

Filters = tuple[Filter | None, ...]


@dataclass(frozen=True, slots=True)
class FilterSource:
    """Where filters stand, one a query.

    label: its name in messages. unit: what they are counted by, line or row. first: the number of the first one.
    texts: the JSON of each; None for no filter. to_filter: makes a filter of what such a text holds; raises
    FilterSyntaxError.
    """

    label: str
    unit: str
    first: int
    texts: Sequence[str | None]
    to_filter: Callable[[Any], Filter | None] = parse


def lines_of(path: Path) -> list[str]:
    """The lines of a file of JSON lines. Raises ConfigurationError."""
    try:
        # Windows' editors put a mark at the start and end lines in their own way. Not splitlines: JSON text may hold
        # characters that it, but not JSON lines, takes for line ends.
        text = read_file(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read ({error})") from error
    return text.removesuffix("\n").split("\n") if text else []


def filter_lines(path: Path) -> FilterSource:
    """The filters of a filters.jsonl. Raises ConfigurationError."""
    return FilterSource(str(path), "line", 1, lines_of(path))


def read_filters(
    source: FilterSource, queries: int | None, attributes: Sequence[Attribute]
) -> tuple[Filters, list[str]]:
    """The filters (None for null and {}) and what is wrong with them, each kind of mistake once.

    queries: how many there must be, where known.
    """
    filters: list[Filter | None] = []
    faults = FilterFaults(source.label, source.unit)
    problems: list[str] = []
    count = len(source.texts)
    if queries is not None and count != queries:
        problems.append(
            f"{source.label}: has {count:,} {source.unit}s, but there are {queries:,} queries; write a {source.unit} "
            "a query, {} for no filter"
        )
    for number, text in enumerate(source.texts, start=source.first):
        try:
            data = None if text is None else plain(text)
            where = source.to_filter(data)
        except FilterSyntaxError as error:
            faults.add(number, str(error))
            continue
        filters.append(where)
        wrong = filter_problems(where, attributes)
        new = [faults.add(number, fault) for fault in wrong]
        if any(new):
            faults.advise(number, what_fits(data, attributes))
    return tuple(filters), [*problems, *faults.problems()]


def parse_line(line: str) -> Filter | None:
    """The filter of one line. Raises FilterSyntaxError."""
    return parse(plain(line))


def plain(line: str) -> object:
    """What a line of JSON holds, keys that occur twice refused. Raises FilterSyntaxError."""
    try:
        return json.loads(line, object_pairs_hook=_object, parse_int=_integer)
    except json.JSONDecodeError as error:
        if line.strip() and (error.pos >= len(line.rstrip()) or error.msg.startswith("Unterminated string")):
            raise FilterSyntaxError(
                f"its JSON ends early ({error.msg}); write all of it in one line"
            ) from error
        raise FilterSyntaxError(f"is not JSON ({error.msg}); {_instead(line)}") from error
    except RecursionError as error:
        raise FilterSyntaxError("is nested too deeply; flatten the filter") from error


def _instead(line: str) -> str:
    """What to write where a line is no JSON: it may be a dictionary of Python."""
    if line.lstrip().startswith("{") and len(line) <= _LONGEST_LITERAL:
        try:
            data = ast.literal_eval(line.strip())
            advice = advised(data) or to_write(data if parse(data) else {})
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            advice = ""  # neither JSON nor Python, or no filter
        if advice:
            return f"texts stand in double quotes, and true, false and null are lower case: {advice}"
    return "write {} for no filter"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        repeated = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise FilterSyntaxError(
            f"key {shown(repeated)} occurs twice, of which JSON keeps the last; write one range with both bounds, "
            'or {"and": [...]}'
        )
    return data


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise FilterSyntaxError(f"a number of {len(digits):,} digits fits no column")
    return int(digits)
