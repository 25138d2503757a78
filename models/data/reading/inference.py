"""How a column of a catalogue is read where the user does not say: category, number, text, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.data.items import Reading

Kind = Literal["string", "integer", "float", "boolean", "time", "other"]

FEW = 32  # as many different numbers may be categories, such as sizes; more are a quantity
_SHARED = 0.5  # of the rows, at least, share the value of a category with another row
_WORDS = 1.5  # a text has several words
_SENTENCE = 6  # so many are a description: nobody filters for one
_CODES = (
    "_id",
    "_no",
    "_nr",
    "_code",
    "_key",
    "_type",
)  # ends of names of numbers that do not count anything


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a column of n rows.

    counts: int64[distinct], how many rows hold each value. words: how many words its values have on average, 0 where
    they are no strings.
    """

    name: str
    kind: Kind
    type_name: str
    rows: int
    counts: npt.NDArray[np.int64]
    words: float = 0.0

    @property
    def present(self) -> int:
        """How many rows hold a value."""
        return int(self.counts.sum())

    @property
    def shared(self) -> float:
        """Share of these whose value another row holds, too."""
        return float(self.counts[self.counts > 1].sum() / self.present) if self.present else 0.0


def infer(column: Evidence) -> tuple[tuple[Reading, ...], str]:  # noqa: PLR0911 - one for each kind
    """How to read a column, and why; nothing where it tells no two items apart."""
    distinct = len(column.counts)
    if column.kind != "other" and not distinct:
        return (), "holds no value"
    # That a number is missing would be left of it; that a string is missing may tell items apart.
    if distinct == 1 and (column.present == column.rows or column.kind in ("integer", "float", "time")):
        return (), "holds the same value wherever it holds one"
    match column.kind:
        case "other":
            return (), f"values of type {column.type_name} are not read"
        case "time":
            return (), "a time; it is read where items.listed names it"
        case "boolean":
            return ("category",), "yes or no"
        case "float":
            return ("number",), "numbers with fractions"
        case "integer":
            return _of_integers(column)
        case "string":
            return _of_strings(column)


def _of_integers(column: Evidence) -> tuple[tuple[Reading, ...], str]:
    distinct = len(column.counts)
    if distinct <= FEW and column.shared >= _SHARED:
        return ("category",), f"whole numbers, {distinct} different ones"
    ending = next((end for end in _CODES if column.name.lower().endswith(end)), None)
    if ending and column.shared >= _SHARED:
        return ("category",), f"whole numbers that repeat, and the name ends in {ending}"
    if ending and distinct == column.present:
        return (), f"an id: a different number in each row, and the name ends in {ending}"
    return ("number",), f"whole numbers, {distinct:,} different ones"


def _of_strings(column: Evidence) -> tuple[tuple[Reading, ...], str]:
    distinct, shared = len(column.counts), column.shared
    if shared >= _SHARED and distinct <= max(FEW, sqrt(column.rows)):
        return ("category",), f"{distinct} different strings"
    words = f"{column.words:.1f} words on average"
    if column.words > _SENTENCE:
        return ("text",), words
    repeat = f"{shared:.0%} of the rows share theirs with another"
    if shared >= _SHARED:
        if column.words >= _WORDS:
            return ("category", "text"), f"{repeat}, {words}"
        return ("category",), repeat
    if column.words >= _WORDS:
        return ("text",), words
    return (), f"an id: single words, {1 - shared:.0%} of them in one row only"
