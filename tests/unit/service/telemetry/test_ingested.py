"""What comes from a topic, as metrics."""

from __future__ import annotations

from service.ingestion.figures import Figures
from service.telemetry.ingested import Ingested
from service.telemetry.meters import Meters
from tests.service.scraped import Samples, samples


def scraped(meters: Meters) -> Samples:
    return samples(meters.text().decode())


def test_what_came_of_records_and_how_many_wait() -> None:
    meters, figures = Meters(), Figures()
    ingested = Ingested(meters, figures)
    figures.outcomes.update({"written": 7, "invalid": 2})
    figures.lag = {0: 5, 1: 3}
    ingested.read()
    ingested.read()
    found = scraped(meters)
    assert found["bakeoff_ingested_total"][("written",)] == 7
    assert found["bakeoff_ingested_total"][("invalid",)] == 2
    assert found["bakeoff_ingested_total"][("stale",)] == 0
    assert found["bakeoff_ingest_lag_records"] == {("0",): 5, ("1",): 3}
    figures.lag = {1: 2}  # another process reads the other partition now
    ingested.read()
    assert scraped(meters)["bakeoff_ingest_lag_records"] == {("0",): 0, ("1",): 2}


def test_up_is_whatever_fails_neither_way() -> None:
    meters, figures = Meters(), Figures()
    ingested = Ingested(meters, figures)
    for error, source_error, up in (("", "", 1), ("disk full", "", 0), ("", "no broker", 0), ("", "", 1)):
        figures.error, figures.source_error = error, source_error
        figures.retries += bool(error)
        figures.failures += bool(source_error)
        ingested.read()
        assert scraped(meters)["bakeoff_ingest_up"] == {(): up}
    found = scraped(meters)
    assert found["bakeoff_ingest_retries_total"] == {(): 1}
    assert found["bakeoff_ingest_failures_total"] == {(): 1}
