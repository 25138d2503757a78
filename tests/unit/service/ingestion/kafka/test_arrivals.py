"""The time until a record is searchable, whichever of writer and index is first."""

from __future__ import annotations

from service.ingestion.kafka.arrivals import Arrivals


def test_records_are_told_of_once_their_batch_is_searchable() -> None:
    seconds: list[float] = []
    now = [10.0]
    arrivals = Arrivals(seconds.append, lambda: now[0])
    arrivals.written(5, [9_000, 8_000])
    arrivals.written(9, [9_500])
    arrivals.searchable(4)
    assert seconds == []
    now[0] = 12.0
    arrivals.searchable(7)
    assert seconds == [3.0, 4.0]
    arrivals.searchable(9)
    assert seconds == [3.0, 4.0, 2.5]
    arrivals.searchable(9)
    assert len(seconds) == 3


def test_an_index_that_was_faster_than_the_writer() -> None:
    seconds: list[float] = []
    arrivals = Arrivals(seconds.append, lambda: 10.0)
    arrivals.searchable(5)
    arrivals.written(5, [9_000])
    assert seconds == [1.0]


def test_a_clock_that_is_ahead_makes_no_negative_time() -> None:
    seconds: list[float] = []
    arrivals = Arrivals(seconds.append, lambda: 10.0)
    arrivals.written(1, [11_000])
    arrivals.searchable(1)
    assert seconds == [0.0]
