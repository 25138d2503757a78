"""Ids of users and items: strings or integers, and the same item written in two ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engines.values.shown import shown
from harness.data.user.conversion import is_text
from harness.errors import ConfigurationError
from models.data.reading.table import Encoded, encode

if TYPE_CHECKING:
    import pyarrow as pa

Int32 = npt.NDArray[np.int32]
_SHOWN = 3  # examples of ids that occur twice


def encode_ids(column: pa.ChunkedArray, label: str) -> Encoded:
    """A column of ids as codes over distinct strings or integers (int64).

    Whole numbers stored as floats count as integers: a column of integers becomes one where ids are missing. Raises
    ConfigurationError where the column holds anything else.
    """
    import pyarrow as pa

    is_a = pa.types
    if is_a.is_dictionary(column.type) and not is_text(column.type.value_type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if isinstance(kind, pa.UuidType):
        texts = [None if value is None else str(value) for value in column.to_pylist()]
        return encode(pa.chunked_array([pa.array(texts, pa.large_string())]))
    if is_text(kind):
        return encode(column.cast(pa.large_string()))
    if is_a.is_dictionary(kind):
        return encode(column.cast(pa.dictionary(pa.int32(), pa.large_string())))
    if is_a.is_integer(kind) or is_a.is_floating(kind):
        return encode(_whole(column, label))
    raise ConfigurationError(f"{label}: ids must be strings or integers, are {kind}")


def unique_ids(
    column: pa.ChunkedArray, label: str, what: str, *, needed: str, once: str
) -> npt.NDArray[np.object_]:
    """object[n], the ids of a table with a row each. what: the word for one of them.

    Raises ConfigurationError where one is missing or occurs twice; `needed` and `once` end these messages.
    """
    encoded = encode_ids(column, label)
    problems = []
    if not encoded.known.all():
        count = int((~encoded.known).sum())
        problems.append(
            f"{label}: row {int(np.argmin(encoded.known))} has no {what} ({count:,} in all); {needed}"
        )
    twice = np.flatnonzero(encoded.counts > 1)
    if len(twice):
        examples = ", ".join(
            "{} in rows {} and {}".format(
                shown(encoded.distinct[int(value)].as_py()), *np.flatnonzero(encoded.codes == value)[:2]
            )
            for value in twice[:_SHOWN]
        )
        problems.append(f"{label}: {what}s occur twice: {examples} ({len(twice):,} in all); {once}")
    if problems:
        raise ConfigurationError(problems)
    return encoded.objects()  # each is in one row, so that they stand in the order of the rows


def _whole(column: pa.ChunkedArray, label: str) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise ConfigurationError(f"{label}: ids must be strings or integers ({error})") from error


def rows_of(given: Encoded, ids: npt.NDArray[np.object_], label: str) -> tuple[Int32, str]:
    """int32[distinct]: the row of each distinct given id among `ids`, -1 where it is not there; and what was done.

    Where types differ, or strings have lost their leading zeros, ids are rewritten only if then every one of them is
    found and no two become the same. Raises ConfigurationError with an example of each side otherwise.
    """
    import pyarrow as pa

    catalogue = pa.array(ids.tolist())
    if is_text(catalogue.type):
        catalogue = catalogue.cast(pa.large_string())
    direct = given.distinct.type == catalogue.type
    found = _look_up(given.distinct, catalogue) if direct else np.full(len(given.distinct), -1, np.int32)
    if (found >= 0).any():
        return found, ""
    most = 0
    for values, how in _rewritten(given.distinct, catalogue):
        found = _look_up(values, catalogue)
        most = max(most, int((found >= 0).sum()))
        if (found >= 0).all() and np.bincount(found).max() == 1:
            return found, f"ids of items {how} match those of the catalogue"
    example = f"{shown(given.distinct[0].as_py())} in row {given.row_of(0)}"
    theirs = f"the catalogue's are such as {shown(ids[0])}"
    if direct:
        raise ConfigurationError(f"{label}: no item is in the catalogue, such as {example}; {theirs}")
    count = f"{most:,} of {len(given.distinct):,} distinct ones match" if most else "none match"
    raise ConfigurationError(
        f"{label}: ids are of another type than the catalogue's, such as {example}, {theirs}, and {count} when "
        "written alike; store both as strings or both as integers"
    )


def _look_up(values: pa.Array, catalogue: pa.Array) -> Int32:
    import pyarrow.compute as pc

    found = pc.index_in(values, value_set=catalogue).fill_null(-1)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.int32)


def _rewritten(values: pa.Array, catalogue: pa.Array) -> Iterator[tuple[pa.Array, str]]:
    """The ids written as the catalogue may write them, and in which way."""
    import pyarrow as pa
    import pyarrow.compute as pc

    digits = r"^\d{1,18}$"
    text = values
    if not is_text(values.type):
        text = values.cast(pa.large_string())
        if is_text(catalogue.type):
            yield text, "as text"
    if not pc.all(pc.match_substring_regex(text, digits)).as_py():
        return
    if not is_text(catalogue.type):
        yield text.cast(pa.int64()), "as integers"
        return
    widths = pc.unique(pc.utf8_length(catalogue))
    if len(widths) == 1:
        width = widths[0].as_py()
        yield pc.utf8_lpad(text, width, "0"), f"filled up with zeros to {width} digits"
    yield pc.utf8_ltrim(text, "0"), "without leading zeros"
