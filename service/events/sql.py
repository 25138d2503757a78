"""Events in a table, whichever database holds it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from service.database.database import Database, Session
from service.database.writer import GroupedWriter
from service.events.event import Event, Kind, Recorded

TABLES = """
create table if not exists events (
    id text primary key,
    kind text not null,
    user_id text not null,
    listing text not null,
    at_ms {integer} not null,
    request_id text,
    position {integer},
    received_ms {integer} not null
){strict};
create index if not exists events_by_time on events (at_ms, id);
create index if not exists events_by_user on events (user_id, at_ms) where kind <> 'impression';
"""
_EVENT = "id, kind, user_id, listing, at_ms, request_id, position"  # as the fields of Event
_INSERT = f"insert into events ({_EVENT}, received_ms) values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing"
_PAGE = 10_000  # events read at once
_LOOKED_AT = 2000  # newest events of a user, for their history: those of a robot have no end


class SqlEvents:
    """Follows `EventStore`. now_ms: the time in ms since 1970, kept beside each event as when it came."""

    def __init__(
        self, database: Database, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._database, self._now_ms = database, now_ms
        self._writer: GroupedWriter[Event, Recorded] = GroupedWriter(self._transact)

    def record(self, events: Sequence[Event]) -> list[Recorded]:
        return self._writer.write(events) if events else []

    def _transact(self, events: Sequence[Event]) -> list[Recorded]:
        now_ms = self._now_ms()
        with self._database.writing() as session:
            held = self._held(session, {event.id for event in events})
            new: dict[str, Event] = {}
            for event in events:
                if event.id not in held:
                    new.setdefault(event.id, event)
            # In one order, so that two services which are told the same events do not wait for each other.
            session.run(_INSERT, ((*_values(new[id_]), now_ms) for id_ in sorted(new)))
            # Where another service was first meanwhile, its event is held, which may be the same.
            held |= self._held(session, new)
        return [
            Recorded(held[event.id], new.get(event.id) is event and held[event.id] == event)
            for event in events
        ]

    def _held(self, session: Session, ids: Iterable[str]) -> dict[str, Event]:
        among = self._database.among.format(column="id")
        rows = session.read(f"select {_EVENT} from events where {among}", [self._database.listed(ids)])
        return {row[0]: Event(*row) for row in rows}

    def history(self, user: str, kinds: Sequence[Kind], most: int) -> list[tuple[str, int]]:
        among = self._database.among.format(column="kind")
        newest = (
            f"select listing, at_ms from events where user_id = ? and kind <> 'impression' and {among} "
            f"order by at_ms desc limit {_LOOKED_AT}"
        )
        sql = (
            f"select listing, max(at_ms) as last from ({newest}) as newest group by listing "
            "order by last desc, listing limit ?"
        )
        with self._database.reading() as session:
            rows = session.read(sql, [user, self._database.listed(kinds), most])
        return [(listing, at_ms) for listing, at_ms in reversed(rows)]

    def since(self, at_ms: int, kinds: Sequence[Kind]) -> Iterator[list[Event]]:
        among = self._database.among.format(column="kind")
        sql = f"select {_EVENT} from events where (at_ms, id) > (?, ?) and {among} order by at_ms, id limit {_PAGE}"
        place = (at_ms, "")
        while True:
            with self._database.reading() as session:
                rows = session.read(sql, [*place, self._database.listed(kinds)])
            if not rows:
                return
            page = [Event(*row) for row in rows]
            place = (page[-1].at_ms, page[-1].id)
            yield page

    def close(self) -> None:
        self._writer.close()
        self._database.close()


def _values(event: Event) -> tuple[object, ...]:
    place = (event.request_id, event.position)
    return (event.id, event.kind, event.user, event.listing, event.at_ms, *place)
