"""A small catalogue that records are taken into, and documents for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from engines.base import Field, Schema
from service.catalogue.listing import Change, Outcome
from service.catalogue.opening import open_store
from service.catalogue.schema import CatalogueSchema
from service.ingestion.figures import Figures
from service.ingestion.letters import DeadLetters
from service.ingestion.pipeline import Patience, Pipeline
from service.ingestion.record import Record, record_of
from service.writing.destination import Encoder

SCHEMA = CatalogueSchema(
    Schema(
        2,
        "l2",
        (
            Field("brand", "keyword"),
            Field("price", "float"),
            Field("new", "boolean"),
            Field("colours", "tags"),
            Field("size", "integer", optional=True),
        ),
    ),
    {"new": False},
    ("title",),
)
QUICK = Patience(0.001, 0.002, 0.02)


def document(name: str, **changes: Any) -> dict[str, Any]:
    """A change that is None is left out."""
    whole = {"id": name, "brand": "COS", "price": 1.5, "vector": [1.0, 2.0]} | changes
    return {key: value for key, value in whole.items() if value is not None}


def record(line: int, content: Any, operation: Any = "put") -> Record:
    return record_of({"line": line}, json.dumps(content).encode(), operation)


class Shop:
    """A catalogue in a folder. failing: called before each write, to raise what a database would.

    endless: whether it never gives up.
    """

    encoder: Encoder | None = None

    def __init__(
        self, folder: Path, failing: Callable[[], None] = lambda: None, *, endless: bool = False
    ) -> None:
        self.catalogue = open_store(str(folder / "catalogue.sqlite"), SCHEMA)
        self.store: Any = _Failing(self.catalogue, failing)
        self.letters = DeadLetters(folder / "letters.ndjson")
        self.figures, self.stopping = Figures(), Event()
        self.pipeline = Pipeline(
            self, self.letters, self.figures, self.stopping, Patience(0.01) if endless else QUICK
        )

    @property
    def dead(self) -> list[dict[str, Any]]:
        """The dead letters."""
        return [json.loads(line) for line in self.letters.path.read_text().splitlines()]

    def prices(self) -> dict[str, Any]:
        """The price of each listing."""
        return {one.id: one.attributes["price"] for one in self.catalogue.scan(limit=100_000)}


@dataclass
class _Failing:
    """A store whose writes may fail."""

    catalogue: Any
    failing: Callable[[], None]

    def write(self, changes: Sequence[Change]) -> list[Outcome]:
        self.failing()
        written: list[Outcome] = self.catalogue.write(changes)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self.catalogue, name)
