"""Vectors to ask an index with: of users, of texts, and of a listing whose like is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from engines.base import Schema, Vectors
from engines.values.columns import normalized
from harness.errors import ConfigurationError
from models.encoding.padding import unpadded_listings
from models.encoding.user import DAY_MS
from service.catalogue.listing import Attribute, Listing
from service.catalogue.store import Store
from service.retrieval.values import InvalidRequestError, User

if TYPE_CHECKING:
    from models.encoding.encoder import Encoder


@dataclass(frozen=True, slots=True)
class Encoded:
    """vector: float32[dim], as the index is asked; None where nothing is known to make one of. attributes: of the
    listings in the history that were found. unused: what could not be used, by kind.
    """

    vector: Vectors | None
    attributes: tuple[Mapping[str, Attribute], ...] = ()
    unused: Mapping[str, int] = field(default_factory=dict)


class UserVectors:
    """By a model's encoder; without one a user is the mean of what they took.

    Each listing counts at length 1, but as it is where distances count: there a shorter vector lies elsewhere.
    """

    def __init__(self, store: Store, schema: Schema, encoder: Encoder | None = None) -> None:
        """schema: of the index; its `model` is the label of the encoder's, and listings of another are left out.

        Raises ConfigurationError where the encoder's vectors have another dimension than the index.
        """
        self._store, self._schema, self._encoder = store, schema, encoder
        if encoder is not None:
            dim = len(encoder.queries(encoder.weights.user.empty[None])[0])
            if dim != schema.dim:
                raise ConfigurationError(
                    f"the model's vectors have {dim} dimensions, the index {schema.dim}; name the model that the index "
                    "was made with, or make it again"
                )

    def of_user(self, user: User, now_ms: int) -> Encoded:
        """Blocks: it reads the history's vectors from the store.

        Raises InvalidRequestError for preferences that the model does not know, and without a model for any.
        """
        # What somebody took may have been sold since, and says no less of them.
        found = self._store.get({taken.id for taken in user.history}, removed=True)
        held = [(found[taken.id], taken.at_ms) for taken in user.history if taken.id in found]
        usable = [(listing, at_ms) for listing, at_ms in held if listing.model in ("", self._schema.model)]
        unused = {
            "history, not there": len(user.history) - len(held),
            "history, of another model": len(held) - len(usable),
        }
        history = [listing for listing, _ in usable]
        if self._encoder is None:
            vector = self._mean(user, history)
        else:
            times = [at_ms for _, at_ms in usable]
            ages = np.array([max(now_ms - at_ms, 0) / DAY_MS if at_ms else np.nan for at_ms in times])
            declared, unknown = self._declared(self._encoder, user)
            unused |= {f"preferences, unknown {name}": count for name, count in unknown.items()}
            one = self._encoder.user.one(
                self._plain(history), None if np.isnan(ages).all() else ages, declared
            )
            vector = self._encoder.queries(one[None])[0]
        attributes = tuple(listing.attributes for listing in history)
        return Encoded(vector, attributes, {kind: count for kind, count in unused.items() if count})

    def _mean(self, user: User, history: list[Listing]) -> Vectors | None:
        if user.preferences:
            raise InvalidRequestError(
                ["preferences: they need a model, and this service has none; give a history or a vector"]
            )
        if not history:
            return None
        vectors = np.stack([listing.vector for listing in history])
        return np.asarray((vectors if self._schema.metric == "l2" else normalized(vectors)).mean(axis=0))

    def _declared(self, encoder: Encoder, user: User) -> tuple[Vectors | None, Mapping[str, int]]:
        if not user.preferences:
            return None, {}
        try:
            declared = encoder.preferences([user.preferences])
        except ConfigurationError as error:
            raise InvalidRequestError(error.problems) from error
        return declared.vectors, declared.unknown

    def _plain(self, listings: list[Listing]) -> Vectors:
        """Vectors of listings as the encoder made them, without what an index needs of popularity."""
        assert self._encoder is not None
        if not listings:
            return np.empty((0, len(self._encoder.weights.user.empty)), np.float32)
        vectors = np.stack([listing.vector for listing in listings])
        return unpadded_listings(vectors) if self._encoder.weights.weight else vectors

    @property
    def reads_text(self) -> bool:
        """Whether a text can be made a vector."""
        features = None if self._encoder is None else self._encoder.features
        return features is not None and bool(features.texts and features.text.dim)

    def of_text(self, text: str) -> Vectors:
        """That of a listing of which only this text is known. Raises InvalidRequestError where nothing reads text."""
        encoder = self._encoder
        if encoder is None or not self.reads_text:
            raise InvalidRequestError(
                ["rank: no model here makes vectors of text; give a vector or a user, or rank by text"]
            )
        features = encoder.features
        listing = replace(features.nothing(1), text=features.text.encode([text]))
        return np.asarray(encoder.queries(encoder.listing.vectors(listing))[0])

    def of_listing(self, listing: Listing) -> Vectors:
        """To find listings like this one. Raises InvalidRequestError where its vector is of another model."""
        if listing.model not in ("", self._schema.model):
            raise InvalidRequestError(
                [
                    f"listing {listing.id!r} has a vector of {listing.model}, the index those of {self._schema.model}"
                ]
            )
        if self._encoder is None or not self._encoder.weights.weight:
            return listing.vector
        return np.asarray(self._encoder.queries(self._plain([listing]))[0])
