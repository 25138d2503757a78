"""What every kind of file offers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.errors import BakeoffError
from service.ingestion.record import Record


class SourceError(BakeoffError):
    """A file cannot be read any further; what came before it is ingested."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a file has been read. rows: of a table, or lines; offset: the same in the unit of the file's size."""

    rows: int = 0
    offset: int = 0


class FileSource(Protocol):
    """A file of listings."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def size(self) -> int:
        """How much there is to read: rows of a table, bytes of lines."""

    def read(self, place: Place) -> Iterator[tuple[Sequence[Record], Place]]:
        """Some records after the other from a place on, each with the place behind it. Raises SourceError."""
