"""Queries with their filters in one file of JSON lines, tests.jsonl of ann-filtering-benchmark-datasets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engines.filters import Filter
from engines.values.filter_dialects import translated
from engines.values.filter_syntax import FilterSyntaxError, parse
from harness.data.user.filters.lines import FilterSource, plain
from harness.data.user.vectors.matrix import Matrix
from harness.errors import ConfigurationError

_SHOWN = 3  # lines with a fault


def read_tests(path: Path) -> tuple[Matrix, FilterSource, list[str]]:
    """The queries (float32), each one's filter, and notes on what else the file holds, such as neighbours.

    Raises ConfigurationError.
    """
    queries: list[npt.NDArray[np.float32]] = []
    conditions: list[str] = []
    others: dict[str, None] = {}
    problems: list[str] = []
    for number, line in enumerate(_lines(path), start=1):
        try:
            query, condition, rest = _test(line)
            if queries and len(query) != len(queries[0]):
                raise FilterSyntaxError(
                    f"its query has {len(query)} numbers, but the first one {len(queries[0])}"
                )
        except FilterSyntaxError as error:
            problems.append(f"{path}: line {number}: {error}")
            continue
        queries.append(query)
        conditions.append(condition)
        others |= dict.fromkeys(rest)
    if len(problems) > _SHOWN:
        problems = [*problems[:_SHOWN], f"{path}: ... and {len(problems) - _SHOWN:,} more lines"]
    if not problems and not queries:
        problems.append(f"{path}: is empty")
    if problems:
        raise ConfigurationError(problems)
    values = np.stack(queries)
    matrix = Matrix(str(path), len(values), values.shape[1], lambda: iter([values]))
    notes = [f"not used: {path.name}: {', '.join(others)}"] if others else []
    return matrix, FilterSource(str(path), "line", 1, conditions, to_filter=_of_any_dialect), notes


def _lines(path: Path) -> Iterator[str]:
    """One after the other: such files are large, for each line holds a vector as text."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read ({error})") from error


def _test(line: str) -> tuple[npt.NDArray[np.float32], str, list[str]]:
    """A line's query, the JSON of its filter, and the names of what else it holds. Raises FilterSyntaxError."""
    data = plain(line)
    if not isinstance(data, Mapping) or not {"query", "conditions"} <= data.keys():
        raise FilterSyntaxError("must be an object with query (a list of numbers) and conditions (a filter)")
    query = data["query"]
    is_list = isinstance(query, list) and bool(query)
    if not is_list or any(isinstance(one, bool) or not isinstance(one, int | float) for one in query):
        raise FilterSyntaxError("its query must be a list of numbers")
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold is reported as infinite
            vector = np.asarray(query, dtype=np.float64).astype(np.float32)
    except OverflowError as error:  # of integers beyond float64
        raise FilterSyntaxError("its query holds a number that no vector can hold") from error
    return vector, json.dumps(data["conditions"]), [key for key in data if key not in ("query", "conditions")]


def _of_any_dialect(data: object) -> Filter | None:
    ours = translated(data)
    return parse(data if ours is None else ours)
