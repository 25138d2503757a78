"""Events as files: interactions as `bakeoff train` reads them, and impressions apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import DatasetError
from service.database.whole import whole
from service.events.event import TAKEN, Event, Kind
from service.events.store import EventStore

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Exported:
    """rows: events in a file, by kind. first_ms, last_ms: the moments of the first and the last."""

    rows: dict[Kind, int]
    first_ms: int
    last_ms: int


def write_interactions(events: EventStore, path: Path, since_ms: int = 0) -> Exported:
    """Clicks, favourites and purchases, in order of time: user_id, item_id, timestamp and event.

    A file that is there is replaced, whole. Raises DatasetError where there are none, or it cannot be written.
    """
    return _written(path, events, TAKEN, since_ms, _interactions)


def write_impressions(events: EventStore, path: Path, since_ms: int = 0) -> Exported:
    """Impressions: user_id, item_id, timestamp, request_id and position. Otherwise as `write_interactions`."""
    return _written(path, events, ("impression",), since_ms, _impressions)


def _written(
    path: Path,
    events: EventStore,
    kinds: Sequence[Kind],
    since_ms: int,
    table: Callable[[Sequence[Event]], pa.Table],
) -> Exported:
    import pyarrow.parquet as pq

    rows: dict[Kind, int] = dict.fromkeys(kinds, 0)
    first_ms = last_ms = since_ms
    with whole(path) as partial, pq.ParquetWriter(partial, table([]).schema) as writer:
        for page in events.since(since_ms, kinds):
            writer.write_table(table(page))
            if not any(rows.values()):
                first_ms = page[0].at_ms
            last_ms = page[-1].at_ms
            for event in page:
                rows[event.kind] += 1
        if not any(rows.values()):
            raise DatasetError(
                f"{path}: is not written, for there is no {' or '.join(kinds)}{_from(since_ms)}"
            )
    return Exported(rows, first_ms, last_ms)


def _from(ms: int) -> str:
    return f" from {datetime.fromtimestamp(ms / 1000, UTC).isoformat()} on" if ms else ""


def _interactions(page: Sequence[Event]) -> pa.Table:
    import pyarrow as pa

    return _common(page).append_column("event", pa.array([event.kind for event in page], pa.string()))


def _impressions(page: Sequence[Event]) -> pa.Table:
    import pyarrow as pa

    requests = pa.array([event.request_id for event in page], pa.string())
    positions = pa.array([event.position for event in page], pa.int64())
    return _common(page).append_column("request_id", requests).append_column("position", positions)


def _common(page: Sequence[Event]) -> pa.Table:
    import pyarrow as pa

    moments = pa.array([event.at_ms for event in page], pa.int64())
    return pa.table(
        {
            "user_id": pa.array([event.user for event in page], pa.string()),
            "item_id": pa.array([event.listing for event in page], pa.string()),
            "timestamp": moments.cast(pa.timestamp("ms", tz="UTC")),
        }
    )
