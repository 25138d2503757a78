"""Attributes in text files: CSV and JSON lines, the types of whose columns are inferred."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.values.shown import shown
from harness.data.user.tables.rounded import refuse_rounded
from harness.data.user.tables.table import Table, label_of
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa

CSV, JSON_LINES = (".csv", ".tsv"), (".jsonl", ".ndjson")
_SEPARATORS = (",", ";", "\t", "|")
_BLOCK_BYTES = 16 << 20  # a line may be no longer


def text_table(paths: Sequence[Path], ids: str) -> Table:
    """The rows of all files, file after file. Raises ConfigurationError.

    ids: the column of ids, which are taken as text in CSV: as numbers, they would lose zeros in front.
    """
    import pyarrow as pa

    parts = [_csv(path, ids) if path.suffix in CSV else _json_lines(path) for path in paths]
    problems = [
        f"{path}: column '{name}' occurs more than once; rename or drop all but one"
        for path, part in zip(paths, parts, strict=True)
        for name, times in Counter(part.column_names).items()
        if times > 1
    ]
    problems += [
        f"{path}: column {shown(field.name)} is not UTF-8 text; save the file as UTF-8"
        for path, part in zip(paths, parts, strict=True)
        for field in part.schema
        if pa.types.is_binary(field.type)
    ]
    if problems:
        raise ConfigurationError(problems)
    try:
        whole = pa.concat_tables(parts, promote_options="permissive")
    except pa.ArrowException as error:
        raise ConfigurationError(f"{label_of(paths)}: their columns do not fit together ({error})") from error
    types = {field.name: field.type for field in whole.schema}

    def read(name: str) -> pa.ChunkedArray:
        for path, part in zip(paths, parts, strict=True):
            if name in part.column_names:
                refuse_rounded(path, name, part.column(name), partial(_texts, path, name))
        try:
            column = whole.column(name)
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            raise ConfigurationError(
                f"{label_of(paths)}: column '{name}': cannot be read ({error})"
            ) from error
        return column

    return Table(label_of(paths), len(whole), types, read)


def _csv(path: Path, texts: str, only: Sequence[str] = ()) -> pa.Table:
    """texts: the column that is taken as text. only: the columns to read; all by default."""
    from pyarrow import csv

    return _parsed(
        path,
        lambda: csv.read_csv(
            path,
            csv.ReadOptions(block_size=_BLOCK_BYTES),
            csv.ParseOptions(delimiter=_separator(path), newlines_in_values=True),
            # An empty cell is missing; words such as NA may be values (a country, a size).
            csv.ConvertOptions(
                null_values=[""],
                strings_can_be_null=True,
                column_types={texts: "string"},
                include_columns=list(only),
            ),
        ),
        "CSV with the names of the columns in the first line",
    )


def _json_lines(path: Path) -> pa.Table:
    from pyarrow import json as lines

    return _parsed(
        path,
        lambda: lines.read_json(path, lines.ReadOptions(block_size=_BLOCK_BYTES)),
        "JSON lines, one object a line, each key with values of one type",
    )


def _texts(path: Path, name: str) -> Iterator[str | None]:
    """What a file holds in a column, as it is written there."""
    if path.suffix in CSV:
        yield from _csv(path, name, [name]).column(name).to_pylist()
    else:
        with path.open(encoding="utf-8-sig") as file:
            for line in filter(str.strip, file):
                yield json.loads(line, parse_float=str, parse_int=str, parse_constant=str).get(name)


def _parsed(path: Path, read: Any, form: str) -> pa.Table:
    import pyarrow as pa

    try:
        return read()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        told = " ".join(str(error).split())[:300]
        raise ConfigurationError(
            f"{path}: cannot be understood ({told}); write it as {form}, in UTF-8"
        ) from error


def _separator(path: Path) -> str:
    """What stands between cells: of the usual characters the one that occurs most often in the first line."""
    with path.open("rb") as file:
        first = file.readline(1 << 16).decode("utf-8", "replace")
    return max(_SEPARATORS, key=first.count)
