"""Listings that come one by one, as documents, rather than in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.data.items import Categories, Items
from models.encoding.files.listing_files import require_finite
from models.encoding.model import Model
from models.features.features import Float32

Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ListingTower:
    """Encodes documents by a model.

    absent: by column, a value that stands for none there, as a data set fills its gaps.
    """

    model: Model
    absent: Mapping[str, object]

    @property
    def label(self) -> str:
        """The model in one word, which its vectors are marked with."""
        return self.model.identity.label

    @property
    def columns(self) -> frozenset[str]:
        """What is read of a document; another value of one of these makes another vector."""
        features = self.model.encoder.features
        return frozenset([*features.categories, *features.numbers, *features.texts])

    def vectors(self, ids: Sequence[str], documents: Sequence[Document]) -> Float32:
        """Vectors float32[n, d] as an index holds them. What a document lacks is not known of its listing.

        Raises ConfigurationError where a vector is not finite.
        """
        encoder = self.model.encoder
        known = [{name: one[name] for name in one if one[name] != self.absent.get(name)} for one in documents]
        with np.errstate(over="ignore", invalid="ignore"):  # overflow is looked for below
            encoded = encoder.listings(self._items(ids, known))
            vectors = encoder.indexed(encoded.vectors, encoded.ids)
        require_finite(vectors, np.array(ids, object), f"{self.model.folder}: the vector of listing")
        return vectors

    def _items(self, ids: Sequence[str], documents: Sequence[Document]) -> Items:
        features = self.model.encoder.features

        def column(name: str) -> list[object]:
            return [document.get(name) for document in documents]

        texts = {name: np.empty(len(ids), object) for name in features.texts}
        for name, values in texts.items():
            values[:] = [value if isinstance(value, str) else "" for value in column(name)]
        return Items(
            self._ids(ids),
            {
                name: Categories.encode([_word(value) for value in column(name)])
                for name in features.categories
            },
            {name: np.array([_number(value) for value in column(name)]) for name in features.numbers},
            texts,
        )

    def _ids(self, ids: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        """As the model knows them: where its ids are integers, one that is none is unknown to it."""
        known = self.model.encoder.features.ids
        found = np.empty(len(ids), object)
        found[:] = [_integer(one) for one in ids] if known and isinstance(known[0], int) else list(ids)
        return found


def _integer(text: str) -> int | None:
    return int(text) if text.isascii() and text.removeprefix("-").isdecimal() else None


def _word(value: object) -> str | None:
    """A category as reading a file writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return None if value is None else str(value)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else np.nan
