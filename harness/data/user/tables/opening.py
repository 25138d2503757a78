"""A table opened by its files' ending."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.data.user.tables.parquet_files import parquet_table
from harness.data.user.tables.table import Table
from harness.data.user.tables.text_files import CSV, JSON_LINES, text_table

SUFFIXES = (".parquet", *CSV, *JSON_LINES)  # of files that hold attributes, best first


def open_table(paths: Sequence[Path], ids: str) -> Table:
    """The rows of all files, file after file, in the order given; they have one ending.

    ids: the name of the column of ids. Raises ConfigurationError.
    """
    return parquet_table(paths) if paths[0].suffix == ".parquet" else text_table(paths, ids)
