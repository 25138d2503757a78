"""A catalogue from a Parquet file of any columns: each is read as its values suggest, or as the user says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engines.values.shown import shown
from harness.data.user.conversion import is_text
from harness.errors import ConfigurationError, noting
from models.data.items import Categories, ColumnChoice, Items, Reading
from models.data.reading.ids import unique_ids
from models.data.reading.inference import Evidence, Kind, infer
from models.data.reading.options import ItemOptions
from models.data.reading.table import Encoded, Table, encode, parquet_table
from models.data.reading.times import moments_ms

if TYPE_CHECKING:
    import pyarrow as pa


def read_items(path: Path, options: ItemOptions | None = None) -> Items:
    """The items of a Parquet file, with a ColumnChoice a column.

    Items without text, number or category are items all the same. Raises ConfigurationError with every problem:
    no id, repeated ids, columns that the options name and the file lacks, values that cannot be read as the options
    say.
    """
    return items_of(parquet_table(path), options or ItemOptions())


def items_of(table: Table, options: ItemOptions) -> Items:
    """As `read_items`."""
    problems = _unknown(table, options)
    if not table.rows:
        problems.append(f"{table.path}: holds no items")
    if problems:
        raise ConfigurationError(problems)
    read = _Read(table, options)
    ids = None
    for name in table.names:
        with noting(problems):
            if name == options.id:
                ids = read.ids()
            else:
                read.add(name)
    if problems or ids is None:
        raise ConfigurationError(problems)
    return Items(ids, read.categories, read.numbers, read.texts, read.listed_ms, tuple(read.choices))


def _unknown(table: Table, options: ItemOptions) -> list[str]:
    """Columns that the options name and that are not there, or that they name for two purposes."""
    problems = []
    if options.id not in table.names:
        problems.append(table.lacking(options.id, "name the column of ids with items.id"))
    named = {
        "categories": options.categories,
        "numbers": options.numbers,
        "texts": options.texts,
        "listed": (options.listed,) if options.listed is not None else (),
    }
    for key, names in {**named, "leave_out": options.leave_out}.items():
        problems += [table.lacking(name, f"correct items.{key}") for name in names if name not in table.names]
        if options.id in names:
            problems.append(f"{table.label(options.id)}: holds the ids; take it out of items.{key}")
        if key != "leave_out":
            problems += [
                f"{table.label(name)}: is in items.{key} and in items.leave_out; take it out of one"
                for name in names
                if name in options.leave_out
            ]
    return problems


@dataclass(slots=True)
class _Read:
    """What has been read of a table so far."""

    table: Table
    options: ItemOptions
    categories: dict[str, Categories] = field(default_factory=dict)
    numbers: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    texts: dict[str, npt.NDArray[np.object_]] = field(default_factory=dict)
    listed_ms: npt.NDArray[np.int64] | None = None
    choices: list[ColumnChoice] = field(default_factory=list)

    def ids(self) -> npt.NDArray[np.object_]:
        """object[n]. Raises ConfigurationError where one is missing or occurs twice."""
        name = self.options.id
        ids = unique_ids(
            self.table.read(name),
            self.table.label(name),
            "id",
            needed="every item needs one",
            once="ids must be unique",
        )
        self.choices.append(ColumnChoice(name, ("id",), "named by items.id", self.table.rows, 0))
        return ids

    def add(self, name: str) -> None:
        """Reads a column as the options or its values say. Raises ConfigurationError."""
        label, column = self.table.label(name), self.table.read(name)
        kind, column = _understood(column)
        encoded = encode(column) if kind != "other" else None
        counts = encoded.counts if encoded else np.empty(0, np.int64)
        evidence = Evidence(name, kind, str(column.type), self.table.rows, counts, _words(encoded, kind))
        chosen, why = self._choice(name, evidence)
        missing = self.table.rows - evidence.present if encoded else column.null_count
        self.choices.append(ColumnChoice(name, chosen, why, len(counts), missing))
        if chosen and encoded is None:
            raise ConfigurationError(
                f"{label}: values of type {column.type} cannot be a {' or a '.join(chosen)}; "
                "store others, or name it in items.leave_out"
            )
        for reading in chosen if encoded else ():
            assert encoded is not None
            match reading:
                case "category":
                    self.categories[name] = _categories(encoded)
                case "number":
                    self.numbers[name] = _numbers(encoded, kind, label)
                case "text":
                    self.texts[name] = _texts(encoded, kind, label)
                case "listed":
                    self.listed_ms = self._listed(column, label)

    def _choice(self, name: str, evidence: Evidence) -> tuple[tuple[Reading, ...], str]:
        options = self.options
        if name in options.leave_out:
            return (), "named in items.leave_out"
        pairs: tuple[tuple[Reading, bool], ...] = (
            ("listed", name == options.listed),
            ("category", name in options.categories),
            ("number", name in options.numbers),
            ("text", name in options.texts),
        )
        named = tuple(reading for reading, is_named in pairs if is_named)
        if named and not len(evidence.counts) and evidence.kind != "other":
            return (), "holds no value, though it is named"
        return (named, "named in the options") if named else infer(evidence)

    def _listed(self, column: pa.ChunkedArray, label: str) -> npt.NDArray[np.int64]:
        """When each item was listed; one that does not say as the first of those that do."""
        ms, known, _ = moments_ms(column, label, self.options.unit, "items.unit")
        return np.where(known, ms, ms[known].min())


def categories_of(column: pa.ChunkedArray, label: str) -> Categories:
    """A column as categories, in the words in which `read_items` reads it. Raises ConfigurationError."""
    kind, column = _understood(column)
    if kind == "other":
        raise ConfigurationError(f"{label}: values of type {column.type} are no words; store words")
    return _categories(encode(column))


def _understood(column: pa.ChunkedArray) -> tuple[Kind, pa.ChunkedArray]:
    """What a column holds, missing values as nulls; whole numbers stored as floats are integers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_a = pa.types
    if is_a.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if is_a.is_floating(kind) or is_a.is_decimal(kind):
        column = column.cast(pa.float64())
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
        try:
            return "integer", column.cast(pa.int64())
        except pa.ArrowInvalid:
            return "float", column
    found: Kind = "other"
    if is_text(kind) or is_a.is_null(kind):
        found, column = "string", column.cast(pa.large_string())
    elif is_a.is_boolean(kind):
        found = "boolean"
    elif is_a.is_timestamp(kind) or is_a.is_date(kind):
        found = "time"
    elif is_a.is_integer(kind):
        found = "integer"
    return found, column


def _words(encoded: Encoded | None, kind: Kind) -> float:
    """How many words the strings of the rows have on average."""
    import pyarrow.compute as pc

    if encoded is None or kind != "string" or not len(encoded.distinct):
        return 0.0
    trimmed = pc.utf8_trim_whitespace(encoded.distinct)
    words = pc.add(pc.count_substring_regex(trimmed, r"\s+"), 1).to_numpy(zero_copy_only=False)
    return float(np.average(words, weights=encoded.counts))


def _categories(encoded: Encoded) -> Categories:
    import pyarrow as pa

    words: list[str] = encoded.distinct.cast(pa.large_string()).to_pylist()
    order = sorted(range(len(words)), key=words.__getitem__)
    rank = np.empty(len(words) + 1, np.int32)
    rank[order] = np.arange(len(words), dtype=np.int32)
    rank[-1] = -1  # where a row holds nothing
    return Categories(rank[encoded.codes], tuple(words[place] for place in order))


def _texts(encoded: Encoded, kind: Kind, label: str) -> npt.NDArray[np.object_]:
    if kind != "string":
        raise ConfigurationError(
            f"{label}: holds {kind}s, only strings can be text; store strings, or take it out of items.texts"
        )
    return np.append(encoded.objects(), "")[encoded.codes]


def _numbers(encoded: Encoded, kind: Kind, label: str) -> npt.NDArray[np.float64]:
    if kind == "time":
        raise ConfigurationError(
            f"{label}: holds times, which are no numbers; store numbers, or take it out of items.numbers"
        )
    values = np.array([_number(value) for value in encoded.distinct.to_pylist()], np.float64)
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        row = min(encoded.row_of(value) for value in wrong[:100].tolist())
        value = encoded.distinct[int(encoded.codes[row])].as_py()
        raise ConfigurationError(
            f"{label}: row {row} holds {shown(value)}, which is no finite number; repair it, or name the column "
            "in items.leave_out"
        )
    return np.append(values, np.nan)[encoded.codes]


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except ValueError:
        return np.nan
