"""What a catalogue teaches about reading listings: fitted once, then applied to any listing, known or new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
import numpy.typing as npt

from engines.values.shown import shown
from harness.errors import ConfigurationError
from models.data.items import Items
from models.features.features import Features, Float32, Int32, Preferences, Sizes
from models.features.numbers import NumberScale, NumberScales, no_numbers
from models.features.options import FeatureOptions
from models.features.preferences import said_codes
from models.features.texts.text import TextVectors, fit_text
from models.features.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class FeatureEncoder:
    """Turns listings into what the towers read.

    ids: those of the listings that have a row in the id table, i + 1 for ids[i]. categories and numbers: by column, in
    the order of `Features.categories` and `Features.numbers`. texts: the columns of text, read as one. text: vectors
    of it.
    """

    options: FeatureOptions
    ids: tuple[str | int, ...]
    categories: Mapping[str, Vocabulary]
    numbers: Mapping[str, NumberScale]
    texts: tuple[str, ...]
    text: TextVectors
    _rows: dict[str | int, int] = field(init=False, repr=False, compare=False)
    _read: frozenset[str] = field(init=False, repr=False, compare=False)
    _scales: NumberScales = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_read", frozenset([*self.categories, *self.numbers, *self.texts]))
        object.__setattr__(self, "_scales", NumberScales.of(list(self.numbers.values())))
        object.__setattr__(self, "_rows", {one: row for row, one in enumerate(self.ids, start=1)})

    @classmethod
    def fit(
        cls,
        items: Items,
        taken: npt.NDArray[np.int64],
        options: FeatureOptions | None = None,
        *,
        seed: int = 0,
    ) -> FeatureEncoder:
        """From a catalogue of n listings. `taken`: int64[n], how often each was taken in training.

        Words, numbers and texts are learnt from all listings, ids only from those that were taken often enough. Raises
        ConfigurationError where the package that the kind of text needs is missing.
        """
        options = options or FeatureOptions()
        known = items.ids[taken >= max(options.min_taken, 1)].tolist()
        return cls(
            options,
            tuple(one if isinstance(one, str) else int(one) for one in known),
            {name: Vocabulary.fit(column, options.min_count) for name, column in items.categories.items()},
            {name: NumberScale.fit(column) for name, column in items.numbers.items()},
            tuple(items.texts),
            fit_text(options.text, _joined(items, tuple(items.texts)), options.text_dim, seed),
        )

    @property
    def sizes(self) -> Sizes:
        """What the towers' tables must be as large as."""
        words = tuple(len(vocabulary) for vocabulary in self.categories.values())
        return Sizes(len(self.ids) + 1, words, 2 * len(self.numbers), self.text.dim)

    def encode(self, items: Items) -> Features:
        """What the towers read of these listings, and counts of what could not be used.

        Raises ConfigurationError where a column that the model reads is not there, or ids are of another type.
        """
        if problems := self._problems(items):
            raise ConfigurationError(problems)
        missing: dict[str, int] = {}
        unknown: dict[str, int] = {}
        row_of = self._rows.get
        ids = np.fromiter((row_of(one, 0) for one in items.ids.tolist()), np.int32, len(items))
        categories = self._categories(items, missing, unknown)
        numbers = self._numbers(items, missing, unknown)
        text = self._text(items, missing, unknown)
        held = chain(items.categories, items.numbers, items.texts)
        ignored = tuple(name for name in held if name not in self._read)
        return Features(ids, categories, numbers, text, missing, unknown, ignored)

    def preferences(self, choices: Sequence[Mapping[str, str | Sequence[str]]]) -> Preferences:
        """What users say that they like: for each user a word, or several, by column of categories.

        Raises ConfigurationError for columns that the model does not know and for values that are no words.
        """
        categories, starts, unknown = said_codes(choices, self.categories)
        listings = replace(self.nothing(len(categories)), categories=categories, unknown=unknown)
        return Preferences(listings, starts)

    def nothing(self, rows: int) -> Features:
        """So many listings of which nothing is known."""
        return Features(
            np.zeros(rows, np.int32),
            np.zeros((rows, len(self.categories)), np.int32),
            np.tile(no_numbers(len(self.numbers)), (rows, 1)),
            np.zeros((rows, self.text.dim), np.float32),
        )

    def _categories(self, items: Items, missing: dict[str, int], unknown: dict[str, int]) -> Int32:
        columns = []
        for name, vocabulary in self.categories.items():
            codes, missing[name], unknown[name] = vocabulary.encode(items.categories[name])
            columns.append(codes)
        return np.array(columns, np.int32).reshape(len(columns), len(items)).T

    def _numbers(self, items: Items, missing: dict[str, int], unknown: dict[str, int]) -> Float32:
        values = np.empty((len(items), len(self.numbers)), np.float64)
        for place, name in enumerate(self.numbers):
            values[:, place] = items.numbers[name]
        encoded, absent, infinite = self._scales.encode(values)
        missing.update(zip(self.numbers, absent.tolist(), strict=True))
        unknown.update(zip(self.numbers, infinite.tolist(), strict=True))
        return encoded

    def _text(self, items: Items, missing: dict[str, int], unknown: dict[str, int]) -> Float32:
        if not self.texts:
            return np.zeros((len(items), self.text.dim), np.float32)
        joined = _joined(items, self.texts)
        vectors = self.text.encode(joined)
        name = " + ".join(self.texts)
        missing[name] = sum(1 for text in joined if not text or text.isspace())
        if self.text.dim:
            unknown[name] = (
                len(vectors) - missing[name] - int(np.count_nonzero(np.logical_or.reduce(vectors, axis=1)))
            )
        return vectors

    def _problems(self, items: Items) -> list[str]:
        read = (
            ("category", self.categories, items.categories),
            ("number", self.numbers, items.numbers),
            ("text", self.texts, items.texts),
        )
        problems = [
            f"items: no column '{name}' of kind {kind}, which the model reads; add it, empty where nothing is known"
            for kind, wanted, held in read
            for name in wanted
            if name not in held
        ]
        if self.ids and len(items) and isinstance(self.ids[0], str) != isinstance(items.ids[0], str):
            kinds = ("strings", "integers") if isinstance(items.ids[0], str) else ("integers", "strings")
            problems.append(
                f"items: ids are {kinds[0]}, such as {shown(items.ids[0])}, and the model knows {kinds[1]}, such as "
                f"{shown(self.ids[0])}; give them the same type"
            )
        return problems


def _joined(items: Items, columns: Sequence[str]) -> list[str]:
    """The text of each listing, its columns one after another."""
    if len(columns) == 1:
        joined: list[str] = items.texts[columns[0]].tolist()
        return joined
    if not columns:
        return [""] * len(items)
    return list(map(" ".join, zip(*(items.texts[name].tolist() for name in columns), strict=True)))
