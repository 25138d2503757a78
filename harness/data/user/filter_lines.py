"""A user's filters.jsonl: one filter a line, read strictly."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engines.filters import Filter
from engines.values.filter_syntax import FilterSyntaxError, parse
from engines.values.shown import shown
from harness.data.dataset import Attribute, filter_problems
from harness.paths import read_file

_SHOWN = 20  # faulty lines
_LONGEST_NUMBER = 400  # digits; beyond any number that a column can hold

Filters = tuple[Filter | None, ...]


def read_filters(
    path: Path, queries: int | None, attributes: Sequence[Attribute]
) -> tuple[Filters | None, list[str]]:
    """The filters (None for null and {}) and what is wrong with them, by line; None where the file cannot be read.

    queries: how many lines there must be, where known.
    """
    try:
        # Windows' editors put a mark at the start and end lines in their own way. Not splitlines: JSON text may hold
        # characters that it, but not JSON lines, takes for line ends.
        text = read_file(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, UnicodeDecodeError) as error:
        return None, [f"{path}: cannot be read ({error})"]
    lines = text.removesuffix("\n").split("\n") if text else []
    filters: list[Filter | None] = []
    problems: list[str] = []
    if queries is not None and len(lines) != queries:
        problems.append(
            f"{path}: has {len(lines):,} lines, but there are {queries:,} queries; write a line a query, {{}} for no "
            "filter"
        )
    for number, line in enumerate(lines, start=1):
        try:
            filters.append(parse_line(line))
        except FilterSyntaxError as error:
            problems.append(f"{path}: line {number}: {error}")
        else:
            problems += [
                f"{path}: line {number}: {fault}" for fault in filter_problems(filters[-1], attributes)
            ]
    if len(problems) > _SHOWN:
        problems = [*problems[:_SHOWN], f"{path}: ... and {len(problems) - _SHOWN:,} more"]
    return tuple(filters), problems


def parse_line(line: str) -> Filter | None:
    """The filter of one line. Raises FilterSyntaxError."""
    try:
        data = json.loads(line, object_pairs_hook=_object, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise FilterSyntaxError(f"is not JSON ({error.msg}); write {{}} for no filter") from error
    except RecursionError as error:
        raise FilterSyntaxError("is nested too deeply; flatten the filter") from error
    return parse(data)


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
