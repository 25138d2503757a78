"""What a change does to what is stored: no I/O, so that every order of changes can be tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from engines.base import Vectors
from service.catalogue.listing import (
    Absent,
    Attribute,
    Change,
    Conflict,
    Outcome,
    Patch,
    Put,
    Remove,
    Stale,
    Unchanged,
    Written,
)


@dataclass(frozen=True, slots=True)
class Row:
    """A listing as it is stored, with the place of its last change in the outbox.

    Of a removed one the fields are as they were last; there are none, and no vector, where it was never put.
    """

    id: str
    number: int
    version: int
    seq: int
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    vector: Vectors | None = None
    model: str = ""
    listed_at_ms: int = 0
    updated_at_ms: int = 0
    removed: bool = False


@dataclass(slots=True)
class Ledger:
    """Applies changes one after the other to the rows of their ids.

    rows: those that are stored, by id; they are replaced as changes are made. seq, numbers, live: the last place in
    the outbox, how many numbers have been given, how many listings there are. changed: the ids whose row is another.
    """

    rows: dict[str, Row]
    seq: int
    numbers: int
    live: int
    now_ms: int
    listed_at: str | None = None
    changed: set[str] = field(default_factory=set)

    def apply(self, change: Change) -> Outcome:
        """Makes a change, or says why it is not made."""
        row = self.rows.get(change.id)
        there = row is not None and not row.removed
        held = row.version if row is not None else 0
        if not there and (
            isinstance(change, Patch) or (isinstance(change, Remove) and change.version is None)
        ):
            return Absent()
        now = held if there else 0
        if change.expected is not None and change.expected != now:
            return Conflict(now)
        wanted = self._wanted(change, row, there)
        if row is not None and change.version in (None, held) and _same(wanted, row):
            return Unchanged(row.number, held, row.seq)
        if change.version is not None and change.version <= held:
            return Stale(held)
        return self._store(wanted, change.version or held + 1, there)

    def _wanted(self, change: Change, row: Row | None, there: bool) -> Row:
        """The row as the change leaves it, but for version and place."""
        old = row or Row(change.id, self.numbers, 0, 0)
        if isinstance(change, Remove):
            return replace(old, removed=True, updated_at_ms=self.now_ms)
        given = change.fields
        whole = isinstance(change, Put)
        attributes = given.attributes if whole else {**old.attributes, **given.attributes}
        details = given.details if whole else {**old.details, **given.details}
        listed = old.listed_at_ms if there else self.now_ms
        if self.listed_at is not None and isinstance(at_ms := attributes[self.listed_at], int):
            listed = at_ms
        made = replace(
            old,
            attributes=attributes,
            details=details,
            listed_at_ms=listed,
            updated_at_ms=self.now_ms,
            removed=False,
        )
        return made if given.vector is None else replace(made, vector=given.vector, model=given.model)

    def _store(self, wanted: Row, version: int, there: bool) -> Written:
        self.seq += 1
        self.live += (not wanted.removed) - there
        self.numbers += wanted.id not in self.rows
        self.rows[wanted.id] = replace(wanted, version=version, seq=self.seq)
        self.changed.add(wanted.id)
        return Written(wanted.number, version, self.seq)


def _same(one: Row, other: Row) -> bool:
    if one.removed or other.removed:
        return one.removed and other.removed
    assert one.vector is not None and other.vector is not None
    return (
        one.attributes == other.attributes
        and one.details == other.details
        and one.model == other.model
        and np.array_equal(one.vector, other.vector)
    )
