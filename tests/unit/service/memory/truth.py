"""Random listings, and a store in memory that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engines.base import Field, Schema
from engines.filters import Filter, Mask, matches
from engines.values.columns import column_of
from service.catalogue.listing import Listing, OutboxRow
from service.catalogue.schema import CatalogueSchema

DIM = 6
BRANDS, SIZES, SELLERS = ["acme", "it's", "é", ""], [36, 38, 40, 2**53 + 1], ["s0", "s1", "s2"]
COLOURS = [["red", "blue"], [], ["blue"], ["é", "red"]]
WORDS = ["red", "blue", "wool", "coat", "shoe", "größe"]
SCHEMA = CatalogueSchema(
    Schema(
        DIM,
        "ip",
        (
            Field("brand", "keyword"),
            Field("size", "integer"),
            Field("price", "float"),
            Field("new", "boolean"),
            Field("taken", "integer"),
            Field("colours", "tags"),
            Field("worn", "integer", optional=True),
        ),
        model="towers@1",
    ),
    details=("title", "seller"),
    texts=("title",),
    seller="seller",
    brand="brand",
)
DAY_MS = 86_400_000
NOW_MS = 1_800_000_000_000


def listings(count: int, seed: int = 0, dim: int = DIM) -> list[Listing]:
    """Random ones, numbered from 0."""
    rng = np.random.default_rng(seed)
    return [
        Listing(
            f"id-{number}",
            number,
            1,
            {
                "brand": BRANDS[rng.integers(len(BRANDS))],
                "size": SIZES[rng.integers(len(SIZES))],
                "price": round(float(rng.uniform(1, 100)), 2),
                "new": bool(rng.integers(2)),
                "taken": int(rng.integers(50)),
                "colours": COLOURS[number % len(COLOURS)],
                "worn": number % 7 + 2 if number % 3 else None,
            },
            {"title": " ".join(rng.choice(WORDS, 3)), "seller": (seller := SELLERS[rng.integers(3)])},
            rng.standard_normal(dim).astype(np.float32),
            "towers@1",
            seller,
            None,
            NOW_MS - int(rng.integers(60)) * DAY_MS,
            NOW_MS,
        )
        for number in range(count)
    ]


class Truth:
    """A store in memory, as much of one as retrieval reads."""

    schema = SCHEMA

    def __init__(self, stored: Iterable[Listing]) -> None:
        self.there: dict[int, Listing] = {}
        self.gone: dict[int, Listing] = {}
        self._changes: dict[int, OutboxRow] = {}
        self._seq = 0
        self.put(stored)

    def put(self, stored: Iterable[Listing]) -> None:
        for listing in stored:
            self.there[listing.number] = replace(listing, brand=str(listing.attributes["brand"]))
            self._note(listing.number, listing.version, False)

    def remove(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.gone[number] = self.there.pop(number)
            self._note(number, self.gone[number].version + 1, True)

    def _note(self, number: int, version: int, removed: bool) -> None:
        self._seq += 1
        self._changes.pop(number, None)
        self._changes[number] = OutboxRow(self._seq, number, version, removed)

    def get(self, ids: Iterable[str], *, removed: bool = False) -> dict[str, Listing]:
        wanted, held = set(ids), {**self.there, **(self.gone if removed else {})}
        return {listing.id: listing for listing in held.values() if listing.id in wanted}

    def by_number(self, numbers: Iterable[int]) -> dict[int, Listing]:
        return {number: self.there[number] for number in numbers if number in self.there}

    def changes_after(self, seq: int, limit: int = 1000) -> list[OutboxRow]:
        return [row for row in self._changes.values() if row.seq > seq][:limit]

    def last_seq(self) -> int:
        return self._seq


def columns(stored: Sequence[Listing]) -> dict[str, Any]:
    """The attributes of listings, column by column."""
    return {
        known.name: column_of([one.attributes[known.name] for one in stored], known.kind)
        for known in SCHEMA.engine.fields
    }


def matching(stored: Sequence[Listing], where: Filter | None) -> Mask:
    """Which listings match, by the meaning of filters alone."""
    return matches(where, columns(stored), len(stored))
