"""Where documents are written, and what makes their vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from engines.base import Vectors
from service.catalogue.store import Store


class Encoder(Protocol):
    """Makes vectors of documents."""

    @property
    def label(self) -> str:
        """The model in one word, which its vectors are marked with."""

    @property
    def columns(self) -> frozenset[str]:
        """What is read of a document; another value of one of these makes another vector."""

    def vectors(self, ids: Sequence[str], documents: Sequence[Mapping[str, object]]) -> Vectors:
        """float32[n, dim], a row for each. Raises ConfigurationError."""


class Destination(Protocol):
    """A catalogue. encoder: None where vectors have to be given."""

    @property
    def store(self) -> Store:
        """The catalogue."""

    @property
    def encoder(self) -> Encoder | None:
        """What makes the vectors that documents lack."""
