"""A trained model, ready to encode: features and both towers, read from a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.errors import ConfigurationError
from models.data.items import Items
from models.encoding.listing import ListingEncoder
from models.encoding.padding import padded_listings, padded_users
from models.encoding.user import Declared, UserEncoder
from models.encoding.weights import TowerWeights
from models.features import files
from models.features.encoder import FeatureEncoder
from models.features.features import Float32, Int32
from models.features.numbers import no_numbers
from models.features.preferences import said_codes
from models.features.stored import digest, read_arrays, write_arrays

TOWERS = "towers.npz"


@dataclass(frozen=True, slots=True)
class EncodedListings:
    """n listings. vectors: float32[n, d], which the user tower takes as a history. ids: int32[n], rows of the id table.
    missing, unknown, ignored: as in `models.features.features.Features`.
    """

    vectors: Float32
    ids: Int32
    missing: Mapping[str, int]
    unknown: Mapping[str, int]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Encoder:
    """Encodes listings and users. Raises ConfigurationError where features and towers do not belong together."""

    features: FeatureEncoder
    weights: TowerWeights
    listing: ListingEncoder = field(init=False, repr=False)
    user: UserEncoder = field(init=False, repr=False)
    _no_numbers: Float32 = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.features.sizes != self.weights.sizes:
            raise ConfigurationError(
                f"{TOWERS} is for {self.weights.sizes}, {files.VALUES} beside it for {self.features.sizes}; copy both "
                "from the same model"
            )
        object.__setattr__(self, "_no_numbers", no_numbers(len(self.features.numbers)))
        object.__setattr__(self, "listing", ListingEncoder(self.weights.listing))
        object.__setattr__(self, "user", UserEncoder(self.weights.user))

    @classmethod
    def load(cls, folder: Path) -> Encoder:
        """What `save` wrote. Raises ConfigurationError naming the file that is missing, damaged or of another model."""
        features = files.load(folder)
        path = folder / TOWERS
        arrays = read_arrays(path)
        try:
            return cls(features, TowerWeights.of_arrays(arrays))
        except ValueError as error:
            raise ConfigurationError(f"{path}: holds no towers: {error}") from error
        except ConfigurationError as error:
            raise ConfigurationError([f"{folder}: {line}" for line in error.problems]) from error

    def save(self, folder: Path) -> None:
        """Writes it into a folder, which is made if need be. Raises MeasurementError."""
        write_arrays(folder / TOWERS, self.weights.arrays())
        files.save(self.features, folder)

    def content_hash(self) -> str:
        """SHA-256, in hex, of all that decides a vector: two models with the same one encode alike."""
        return digest({"features": files.content_hash(self.features)}, self.weights.arrays())

    def listings(self, items: Items) -> EncodedListings:
        """Raises ConfigurationError where a column that the model reads is not there, or ids are of another type."""
        features = self.features.encode(items)
        vectors = self.listing.vectors(features)
        return EncodedListings(vectors, features.ids, features.missing, features.unknown, features.ignored)

    def preferences(self, choices: Sequence[Mapping[str, str | Sequence[str]]]) -> Declared:
        """What users say that they like, for `UserEncoder`. Raises ConfigurationError for unknown columns."""
        codes, starts, unknown = said_codes(choices, self.features.categories)
        return Declared(self.listing.of_words(codes, self._no_numbers), starts, unknown)

    def indexed(self, vectors: Float32, ids: Int32) -> Float32:
        """What an index holds of listings: their vectors, with popularity in two more coordinates if it counts."""
        return padded_listings(vectors, self.weights.popularity[ids]) if self.weights.weight else vectors

    def queries(self, users: Float32) -> Float32:
        """What an index of `indexed` is asked with for users float32[u, d]; nearest are those of the highest score."""
        return padded_users(users, self.weights.weight) if self.weights.weight else users

    def scores(self, users: Float32, vectors: Float32, ids: Int32) -> Float32:
        """float32[u, n] of users with listings, before the temperature: what an index must rank by."""
        return users @ vectors.T + np.float32(self.weights.weight) * self.weights.popularity[ids]
