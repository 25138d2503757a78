"""A table of attributes: its columns by name and type, read one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of attributes somewhere on disk.

    label: its name in messages. types: of each column, in the order of the file. read: one column, dictionaries
    decoded; raises ConfigurationError. index: the columns of a pandas index, which no user has chosen to store.
    vectors: the columns that hold vectors.
    """

    label: str
    rows: int
    types: Mapping[str, pa.DataType]
    read: Callable[[str], pa.ChunkedArray]
    index: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()

    def place(self, name: str) -> str:
        """A column's name in messages."""
        return f"{self.label}: column '{name}'"


def label_of(paths: Sequence[Path]) -> str:
    """How messages call the file, or the files that hold one part of the rows each."""
    first, last = paths[0], paths[-1]
    return str(first) if len(paths) == 1 else f"{first} to {last.name} ({len(paths):,} files)"
