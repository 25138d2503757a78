"""A file's columns, read one at a time, and their values as codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness.data.user.tables.parquet_files import open_parquet
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa

NONE = -1  # the code of a row without a value


@dataclass(frozen=True, slots=True)
class Table:
    """A file of rows and named columns. held: its columns, where they are in memory already."""

    path: Path
    names: tuple[str, ...]
    rows: int
    held: pa.Table | None = None

    def label(self, name: str) -> str:
        """How a message names a column."""
        return f"{self.path}: column '{name}'"

    def read(self, name: str) -> pa.ChunkedArray:
        """A column. Raises ConfigurationError where it is damaged."""
        import pyarrow as pa

        if self.held is not None:
            return self.held.column(name)
        with open_parquet(self.path) as file:
            try:
                column = file.read(columns=[name]).column(name)
                column.validate(full=True)
            except (pa.ArrowInvalid, OSError) as error:
                raise ConfigurationError(f"{self.label(name)}: cannot be read ({error})") from error
        if len(column) != self.rows:
            raise ConfigurationError(
                f"{self.label(name)}: holds {len(column):,} values instead of {self.rows:,}; "
                "write the file again"
            )
        return column

    def lacking(self, name: str, remedy: str) -> str:
        """What to say where there is no such column."""
        return f"{self.path}: has no column '{name}'; {remedy} (it has: {', '.join(self.names) or 'none'})"


def parquet_table(path: Path) -> Table:
    """A Parquet file. Raises ConfigurationError where there is none, or none that is intact."""
    if not path.is_file():
        raise ConfigurationError(f"{path}: no such file")
    with open_parquet(path) as file:
        return Table(path, tuple(file.schema_arrow.names), file.metadata.num_rows)


def csv_table(path: Path, columns: Sequence[str], words: Sequence[str]) -> Table:
    """Some columns of a CSV file. words: those that hold text, also where it looks like numbers.

    Raises ConfigurationError where the file lacks one of them or is no CSV.
    """
    import pyarrow as pa
    from pyarrow import csv

    encoded = pa.dictionary(pa.int32(), pa.string())  # a text that repeats is held once
    options = csv.ConvertOptions(
        include_columns=list(columns), column_types=dict.fromkeys(words, encoded), strings_can_be_null=True
    )
    try:
        # A quoted description may go on in the next line.
        held = csv.read_csv(
            path, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=options
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise ConfigurationError(
            f"{path}: is no CSV file with the columns {', '.join(columns)} ({error})"
        ) from error
    return Table(path, tuple(held.column_names), held.num_rows, held)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A column of n rows as codes: row i holds `distinct[codes[i]]`, or nothing where its code is NONE.

    codes: int32[n]. distinct: different values, each of some row, in order of first appearance.
    """

    codes: npt.NDArray[np.int32]
    distinct: pa.Array

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which rows hold a value: bool[n]."""
        known: npt.NDArray[np.bool_] = self.codes != NONE
        return known

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many rows hold each value."""
        return np.bincount(self.codes[self.known], minlength=len(self.distinct))

    def without(self, unwanted: npt.NDArray[np.bool_]) -> Encoded:
        """As if rows that hold an unwanted value (bool[distinct]) held nothing."""
        import pyarrow as pa

        if not unwanted.any():
            return self
        number = np.append(np.where(unwanted, NONE, np.cumsum(~unwanted) - 1), NONE).astype(np.int32)
        return Encoded(number[self.codes], self.distinct.filter(pa.array(~unwanted)))

    def row_of(self, value: int) -> int:
        """The first row that holds `distinct[value]`."""
        return int(np.argmax(self.codes == value))

    def objects(self) -> npt.NDArray[np.object_]:
        """The values as Python's."""
        found = np.empty(len(self.distinct), object)
        found[:] = self.distinct.to_pylist()
        return found


def encode(column: pa.ChunkedArray) -> Encoded:
    """A column's values as codes; a blank text is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    given = pa.types.is_dictionary(column.type)
    coded = column if given else column.dictionary_encode()
    array = (
        pa.concat_arrays(coded.unify_dictionaries().chunks) if coded.num_chunks else pa.array([], coded.type)
    )
    codes = array.indices.fill_null(NONE).to_numpy(zero_copy_only=False).astype(np.int32)
    encoded = Encoded(codes, array.dictionary)
    if given:  # by whoever wrote it: perhaps with values that repeat, are null, or are in no row
        encoded = _tidy(encoded)
    if pa.types.is_string(encoded.distinct.type) or pa.types.is_large_string(encoded.distinct.type):
        blank = pc.equal(pc.utf8_trim_whitespace(encoded.distinct), "")
        encoded = encoded.without(blank.to_numpy(zero_copy_only=False).astype(bool))
    return encoded


def _tidy(encoded: Encoded) -> Encoded:
    again = encoded.distinct.dictionary_encode()
    number = np.append(again.indices.fill_null(NONE).to_numpy(zero_copy_only=False), NONE).astype(np.int32)
    tidy = Encoded(number[encoded.codes], again.dictionary)
    return tidy.without(tidy.counts == 0)
