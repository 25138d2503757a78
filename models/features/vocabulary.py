"""Words of a category as codes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.data.items import MISSING, Categories
from models.features.features import Int32

_FEW = 16  # rows for which a list is faster than an array


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a column that have a code: words[i] has i + 1, everything else 0.

    rare: how many words occur too seldom to have one.
    """

    words: tuple[str, ...]
    rare: int = 0
    codes: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", {word: code for code, word in enumerate(self.words, start=1)})

    def __len__(self) -> int:
        """How many codes there are, 0 included."""
        return len(self.words) + 1

    @classmethod
    def fit(cls, column: Categories, min_count: int) -> Vocabulary:
        """The words that occur at least `min_count` times, in the order of the column's."""
        counts = np.bincount(column.codes[column.codes != MISSING], minlength=len(column.words)).tolist()
        words = tuple(word for word, count in zip(column.words, counts, strict=True) if count >= min_count)
        return cls(words, sum(1 for count in counts if 0 < count < min_count))

    def encode(self, column: Categories) -> tuple[Int32 | list[int], int, int]:
        """A code for each row, then how many rows have no word and how many an unknown one."""
        code_of, words = self.codes.get, column.words
        if len(column) <= max(
            len(words), _FEW
        ):  # a few rows of a catalogue share its words: look at theirs only
            codes = column.codes.tolist()
            few = [0 if code == MISSING else code_of(words[code], 0) for code in codes]
            missing = codes.count(MISSING)
            return few, missing, few.count(0) - missing
        encoded = np.array([*(code_of(word, 0) for word in words), 0], np.int32)[
            column.codes
        ]  # MISSING is -1: the last
        missing = int(np.count_nonzero(column.codes == MISSING))
        return encoded, missing, len(encoded) - missing - int(np.count_nonzero(encoded))
