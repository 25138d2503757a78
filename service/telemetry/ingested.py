"""What comes from a topic, read when metrics are asked for."""

from __future__ import annotations

from typing import get_args

from service.ingestion.figures import Figures
from service.ingestion.figures import Ingested as Outcome
from service.telemetry.meters import Meters, Since


class Ingested:
    """`read` brings the meters up to the figures."""

    def __init__(self, meters: Meters, figures: Figures) -> None:
        self._figures = figures
        outcomes = meters.counter("bakeoff_ingested_total")
        self._outcomes = {outcome: Since(outcomes.labels(outcome)) for outcome in get_args(Outcome)}
        self._retries = Since(meters.counter("bakeoff_ingest_retries_total"))
        self._failures = Since(meters.counter("bakeoff_ingest_failures_total"))
        self._up = meters.gauge("bakeoff_ingest_up")
        self._lag = meters.gauge("bakeoff_ingest_lag_records")
        self._partitions: set[int] = set()

    def read(self) -> None:
        """Called by one thread at a time."""
        figures = self._figures
        for outcome, since in self._outcomes.items():
            since.follow(figures.outcomes[outcome])
        self._retries.follow(figures.retries)
        self._failures.follow(figures.failures)
        self._up.set(not (figures.error or figures.source_error))
        lag = figures.lag
        self._partitions |= lag.keys()
        for partition in self._partitions:  # of one that another process reads now, that one tells
            self._lag.labels(str(partition)).set(lag.get(partition, 0))
