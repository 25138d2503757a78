"""A store in tables, whichever database holds them: the statements, and rows to and from listings."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec
import numpy as np

from harness.errors import ConfigurationError
from service.catalogue.deciding import Ledger, Row
from service.catalogue.listing import Change, Listing, OutboxRow, Outcome
from service.catalogue.schema import CatalogueSchema
from service.catalogue.tables import OPTIONAL, SCHEMA, migrate
from service.database.database import Database, Exclusive, Session, Values
from service.database.writer import GroupedWriter

_ROW = "id, number, version, seq, attributes, details, vector, model, listed_at_ms, updated_at_ms, removed"
_UPSERT = (
    f"insert into catalogue_listings ({_ROW}) values ({', '.join('?' * 11)}) on conflict (number) do update set "
    + ", ".join(f"{name} = excluded.{name}" for name in _ROW.split(", ")[2:])
)
_STATE = "update catalogue_state set seq = ?, numbers = ?, live = ?"
_NOTE = "insert into catalogue_meta values (?, ?) on conflict (key) do update set value = excluded.value"


class _Any(Enum):
    ANY = 0


ANY = _Any.ANY
# Rows are read while a question waits for them: this takes a fraction of the time that json.loads does.
_read_json = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True)
class _Note:
    """before: what must be kept under the key now; ANY: whatever there is."""

    key: str
    value: str
    before: str | _Any | None = ANY


class SqlStore:
    """Follows `Store`. Raises ConfigurationError for a catalogue of another schema.

    place: by which it was opened. name: how messages call it. now_ms: the time in ms since 1970.
    """

    def __init__(
        self,
        database: Database,
        schema: CatalogueSchema,
        place: str,
        name: str,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.schema, self.place = schema, place
        self._database, self._now_ms = database, now_ms
        self._blank = schema.blank
        self._subscribers: list[Callable[[int], None]] = []
        with database.writing() as session:
            migrate(session, database)
            require_schema(session, schema, name)
        self._writer: GroupedWriter[Change | _Note, Outcome | bool] = GroupedWriter(self._transact)

    @property
    def commits(self) -> int:
        """How many transactions have been committed or tried."""
        return self._writer.commits

    def write(self, changes: Sequence[Change]) -> list[Outcome]:
        outcomes = self._writer.write(changes) if changes else []
        return [outcome for outcome in outcomes if not isinstance(outcome, bool)]  # those are of notes

    def set_meta(self, key: str, value: str) -> None:
        self._writer.write([_Note(key, value)])

    def replace_meta(self, key: str, before: str | None, after: str) -> bool:
        return self._writer.write([_Note(key, after, before)]) == [True]

    def exclusive(self) -> Exclusive | None:
        return self._database.exclusive()

    def _transact(self, items: Sequence[Change | _Note]) -> list[Outcome | bool]:
        ids = {item.id for item in items if not isinstance(item, _Note)}
        with self._database.writing() as session:
            # Whoever takes a place in the outbox keeps the row until the commit: places are committed in their order.
            # It is read first, so that no other writer changes what is read after it.
            state = session.read(f"select seq, numbers, live from catalogue_state{self._database.lock}")
            kept = {
                place: _keep(session, item) for place, item in enumerate(items) if isinstance(item, _Note)
            }
            if not ids:
                return list(kept.values())
            seq, numbers, live = state[0]
            rows = {row.id: row for row in self._rows(session, "id", ids)}
            ledger = Ledger(rows, seq, numbers, live, self._now_ms(), self.schema.listed_at)
            outcomes = [
                kept[place] if isinstance(item, _Note) else ledger.apply(item)
                for place, item in enumerate(items)
            ]
            session.run(_UPSERT, (_values(ledger.rows[id_]) for id_ in sorted(ledger.changed)))
            session.run(_STATE, [(ledger.seq, ledger.numbers, ledger.live)])
        if ledger.seq > seq:
            for notify in self._subscribers:
                notify(ledger.seq)
        return outcomes

    def subscribe(self, notify: Callable[[int], None]) -> None:
        self._subscribers.append(notify)

    def _rows(self, session: Session, column: str, values: Iterable[Any]) -> list[Row]:
        among = self._database.among.format(column=column)
        found = session.read(
            f"select {_ROW} from catalogue_listings where {among}", [self._database.listed(values)]
        )
        return [self._row(values) for values in found]

    def get(self, ids: Iterable[str], *, removed: bool = False) -> dict[str, Listing]:
        with self._database.reading() as session:
            rows = self._rows(session, "id", ids)
        return {
            row.id: self._listing(row)
            for row in rows
            if row.vector is not None and (removed or not row.removed)
        }

    def known(self, ids: Iterable[str]) -> set[str]:
        among = self._database.among.format(column="id")
        sql = f"select id from catalogue_listings where {among}"
        with self._database.reading() as session:
            return {str(id_) for (id_,) in session.read(sql, [self._database.listed(ids)])}

    def by_number(self, numbers: Iterable[int]) -> dict[int, Listing]:
        with self._database.reading() as session:
            rows = self._rows(session, "number", map(int, numbers))
        return {row.number: self._listing(row) for row in rows if not row.removed}

    def scan(self, after: int = -1, limit: int = 1000) -> list[Listing]:
        sql = (
            f"select {_ROW} from catalogue_listings where number > ? and removed = 0 order by number limit ?"
        )
        with self._database.reading() as session:
            return [self._listing(self._row(values)) for values in session.read(sql, [after, limit])]

    def count(self) -> int:
        return int(self._one("select live from catalogue_state"))

    def last_seq(self) -> int:
        return int(self._one("select seq from catalogue_state"))

    def changes_after(self, seq: int, limit: int = 1000) -> list[OutboxRow]:
        sql = (
            "select seq, number, version, removed from catalogue_listings where seq > ? order by seq limit ?"
        )
        with self._database.reading() as session:
            found = session.read(sql, [seq, limit])
        return [OutboxRow(place, number, version, bool(removed)) for place, number, version, removed in found]

    def meta(self, key: str) -> str | None:
        value = self._one("select max(value) from catalogue_meta where key = ?", [key])
        return None if value is None else str(value)

    def notes(self, keys: Sequence[str]) -> dict[str, str]:
        sql = f"select key, value from catalogue_meta where {self._database.among.format(column='key')}"
        with self._database.reading() as session:
            return dict(session.read(sql, [self._database.listed(keys)]))

    def _one(self, sql: str, values: Values = ()) -> Any:
        with self._database.reading() as session:
            return session.read(sql, values)[0][0]

    def close(self) -> None:
        self._writer.close()
        self._database.close()

    def _row(self, values: tuple[Any, ...]) -> Row:
        id_, number, version, seq, attributes, details, vector, model, listed_ms, updated_ms, removed = values
        held, texts, floats = {}, {}, None
        if vector is not None:
            # A field that came later is filled here or has no value, one that went is left out.
            known = {**self._blank, **_read_json(attributes)}
            held = {field.name: known[field.name] for field in self.schema.engine.fields}
            texts, floats = _read_json(details), np.frombuffer(vector, "<f4")
        return Row(
            id_, number, version, seq, held, texts, floats, model, listed_ms, updated_ms, bool(removed)
        )

    def _listing(self, row: Row) -> Listing:
        assert row.vector is not None
        seller, brand = (
            self.schema.named(key, row.attributes, row.details)
            for key in (self.schema.seller, self.schema.brand)
        )
        return Listing(
            row.id,
            row.number,
            row.version,
            row.attributes,
            row.details,
            row.vector,
            row.model,
            seller,
            brand,
            row.listed_at_ms,
            row.updated_at_ms,
        )


def _keep(session: Session, note: _Note) -> bool:
    if note.before is not ANY:
        held = session.read("select value from catalogue_meta where key = ?", [note.key])
        if note.before != (held[0][0] if held else None):
            return False
    session.run(_NOTE, [(note.key, note.value)])
    return True


def _values(row: Row) -> Values:
    rest = (row.model, row.listed_at_ms, row.updated_at_ms, int(row.removed))
    if row.vector is None:
        return (row.id, row.number, row.version, row.seq, None, None, None, *rest)
    texts = (json.dumps(dict(row.attributes)), json.dumps(dict(row.details)))
    vector = row.vector.astype("<f4").tobytes()
    return (row.id, row.number, row.version, row.seq, *texts, vector, *rest)


def require_schema(session: Session, schema: CatalogueSchema, place: str) -> None:
    """Notes what a new catalogue is for. Raises ConfigurationError where an older one is for something else.

    A field with a fill, or that listings may lack, may have been added, and one may be there no more: what is stored
    is right for both.
    """
    engine = schema.engine
    asked: dict[str, Any] = {
        "model": engine.model,
        "dim": engine.dim,
        "metric": engine.metric,
        "fields": {field.name: field.kind for field in engine.fields},
        OPTIONAL: [field.name for field in engine.fields if field.can_lack],
    }
    found = session.read("select value from catalogue_meta where key = ?", [SCHEMA])
    held = {OPTIONAL: []} | (json.loads(found[0][0]) if found else asked)
    problems = [
        f"{place}: the {key} of its vectors is {held[key] or 'not named'}, that of the service "
        f"{asked[key] or 'not named'}; start it as the catalogue was made, or fill a new one"
        for key in ("model", "dim", "metric")
        if held[key] != asked[key]
    ]
    for field in engine.fields:
        kind = held["fields"].get(field.name)
        if kind is None and field.name in schema.required_fields:
            problems.append(
                f"{place}: its listings have no field '{field.name}'; give it a fill, or make it optional"
            )
        elif kind not in (None, field.kind):
            problems.append(
                f"{place}: its field '{field.name}' is {kind}, not {field.kind}; rename the new one"
            )
        elif kind and field.name in held[OPTIONAL] and not field.can_lack:
            problems.append(
                f"{place}: its listings may have no value of '{field.name}'; leave the field optional"
            )
    if problems:
        raise ConfigurationError(problems)
    # Values of fields that went are still stored.
    noted = asked | {
        "fields": held["fields"] | asked["fields"],
        OPTIONAL: sorted({*held[OPTIONAL], *asked[OPTIONAL]}),
    }
    session.run(_NOTE, [(SCHEMA, json.dumps(noted))])
