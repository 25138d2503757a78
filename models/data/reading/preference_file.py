"""What users declare that they like, from a Parquet file: a row a user, a column a category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness.errors import ConfigurationError, noting
from models.data.reading.ids import unique_ids
from models.data.reading.item_file import categories_of
from models.data.reading.table import parquet_table

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class DeclaredPreferences:
    """u users. user_ids: object[u] of distinct str, or of distinct int. choices: of each the words by category."""

    user_ids: npt.NDArray[np.object_]
    choices: tuple[Mapping[str, Sequence[str]], ...]


def read_preferences(path: Path, user: str, categories: Sequence[str]) -> DeclaredPreferences:
    """The preferences of a file: the column `user`, and columns of `categories` that hold a word or a list of words.

    A user may say nothing of a category. Raises ConfigurationError with every problem: no users, a user without id or
    with two rows, a column that is no category, values that are no words.
    """
    table = parquet_table(path)
    problems = [] if table.rows else [f"{path}: holds no users"]
    if user not in table.names:
        problems.append(table.lacking(user, "name the column of users like that"))
    names = [name for name in table.names if name != user]
    known = ", ".join(categories) or "none"
    problems += [
        f"{table.label(name)}: is no category of the model (these are: {known}); rename it, or take it out of the file"
        for name in names
        if name not in categories
    ]
    if problems:
        raise ConfigurationError(problems)
    ids = np.empty(0, object)
    with noting(problems):
        ids = unique_ids(
            table.read(user),
            table.label(user),
            "user",
            needed="remove such rows",
            once="give each one row, several words of a category as a list",
        )
    choices: list[dict[str, list[str]]] = [{} for _ in range(table.rows)]
    for name in names:
        with noting(problems):
            for row, word in _said(table.read(name), table.label(name)):
                choices[row].setdefault(name, []).append(word)
    if problems:
        raise ConfigurationError(problems)
    return DeclaredPreferences(ids, tuple(choices))


def _said(column: pa.ChunkedArray, label: str) -> list[tuple[int, str]]:
    """Row and word of everything said in a column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_a = pa.types
    rows = np.arange(len(column))
    if is_a.is_list(column.type) or is_a.is_large_list(column.type) or is_a.is_fixed_size_list(column.type):
        lists = pa.concat_arrays(column.chunks)
        rows = pc.list_parent_indices(lists).to_numpy()
        column = pa.chunked_array([pc.list_flatten(lists)])
    words = categories_of(column, label).decode()
    return [(row, word) for row, word in zip(rows.tolist(), words, strict=True) if word is not None]
