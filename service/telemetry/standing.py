"""How things stand: read from the parts of the service when metrics are asked for, so that requests pay nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Lock, Thread

from engines.base import EngineError
from service.database.errors import StoreError
from service.indexing.status import IndexStatus
from service.ingestion.figures import Figures
from service.limits.breaker import Breaker
from service.limits.gate import Gate
from service.telemetry.ingested import Ingested
from service.telemetry.meters import Described, Meters, Since

log = logging.getLogger(__name__)
_EVERY_S = 1.0  # with several processes any of them may be asked, and tells what the others wrote last


@dataclass(frozen=True, slots=True)
class Watched:
    """What is read. status: of the index; it blocks and raises StoreError. version, engine, model: what is served.

    ingested: of listings from a topic; None where there is none.
    """

    gate: Gate
    breakers: Mapping[str, Breaker]
    status: Callable[[], IndexStatus]
    version: str
    engine: str
    model: str
    ingested: Figures | None = None

    def busy(self) -> bool:
        """Whether questions wait, or more than half of the places for them are taken."""
        limit = self.gate.limit
        return limit.waiting > 0 or 2 * limit.busy > limit.limit


class Standing:
    """`read` brings the meters up to now."""

    def __init__(self, meters: Meters, watched: Watched) -> None:
        self._meters, self._watched = meters, watched
        self._info = Described(meters, "bakeoff_service_info")
        self._shed = Since(meters.counter("bakeoff_shed_total"))
        self._gone = Since(meters.counter("bakeoff_gone_total"))
        self._failures = Since(meters.counter("bakeoff_projection_failures_total"))
        self._ingested = Ingested(meters, watched.ingested or Figures())
        self._reading, self._stopping = Lock(), Event()
        self._thread: Thread | None = None
        self.read()
        if meters.shared:
            self._thread = Thread(target=self._keep, name="telemetry-standing", daemon=True)
            self._thread.start()

    def read(self) -> None:
        """Blocks for as long as the catalogue takes to tell its last place."""
        with self._reading:
            self._read_limits()
            self._read_index()
            self._ingested.read()

    def close(self) -> None:
        """Ends what reads by itself; a second call does nothing."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _keep(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            self.read()

    def _read_limits(self) -> None:
        gate, gauge = self._watched.gate, self._meters.gauge
        gauge("bakeoff_in_flight").set(gate.limit.busy)
        gauge("bakeoff_in_flight_limit").set(gate.limit.limit)
        gauge("bakeoff_waiting").set(gate.limit.waiting)
        self._shed.follow(gate.shed)
        self._gone.follow(gate.gone)
        for name, breaker in self._watched.breakers.items():
            gauge("bakeoff_breaker_open").labels(name).set(breaker.state != "closed")

    def _read_index(self) -> None:
        gauge, watched = self._meters.gauge, self._watched
        try:
            status = watched.status()
        except (StoreError, EngineError) as error:  # the latter once the index is closed
            gauge("bakeoff_catalogue_up").set(0)
            log.warning("the catalogue could not be asked for metrics: %s", error)
            return
        gauge("bakeoff_catalogue_up").set(1)
        gauge("bakeoff_index_lag_changes").set(status.last_seq - status.applied)
        gauge("bakeoff_index_behind_seconds").set(status.behind_s)
        gauge("bakeoff_index_rebuilding").set(status.rebuilding)
        gauge("bakeoff_index_leftovers").set(status.leftovers)
        self._failures.follow(status.failures)
        self._info.say(
            version=watched.version, engine=watched.engine, model=watched.model, generation=status.generation
        )
