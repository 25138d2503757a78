"""One writer for many callers."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic, sleep

import pytest

from service.database.errors import StoreError
from service.database.writer import GroupedWriter


class Recorder:
    """Commits once it is let; numbers that are below 0 cannot be written."""

    def __init__(self) -> None:
        self.let, self.began = Event(), Event()
        self.groups: list[list[int]] = []
        self.error: Exception = ValueError("below 0")

    def __call__(self, items: Sequence[int]) -> list[str]:
        self.began.set()
        assert self.let.wait(10)
        if min(items) < 0:
            raise self.error
        self.groups.append(list(items))
        return [f"{item}" for item in items]


def waiting(callers: list[list[int]]) -> tuple[Recorder, list[list[str] | BaseException]]:
    """What callers get who come while the commit of a first one, [0], is under way."""
    recorder = Recorder()
    writer = GroupedWriter(recorder)
    with ThreadPoolExecutor(len(callers) + 1) as threads:
        futures = [threads.submit(writer.write, [0])]
        assert recorder.began.wait(10)
        for place, items in enumerate(callers):
            futures.append(threads.submit(writer.write, items))
            deadline = monotonic() + 10
            while writer._requests.qsize() <= place and monotonic() < deadline:
                sleep(0.001)
        recorder.let.set()
    writer.close()
    return recorder, [future.exception() or future.result() for future in futures]


def test_whoever_comes_during_a_commit_shares_the_next() -> None:
    recorder, results = waiting([[1, 2], [3], [4, 5, 6]])
    assert recorder.groups == [[0], [1, 2, 3, 4, 5, 6]]
    assert results == [["0"], ["1", "2"], ["3"], ["4", "5", "6"]]


def test_one_callers_fault_is_no_one_elses() -> None:
    recorder, results = waiting([[1, 2], [3, -1], [4]])
    assert recorder.groups == [[0], [1, 2], [4]]
    assert isinstance(results[2], ValueError)
    assert [results[place] for place in (0, 1, 3)] == [["0"], ["1", "2"], ["4"]]


def test_a_group_is_bounded_but_no_caller_is_torn_apart() -> None:
    many = list(range(1500))
    recorder, _ = waiting([[1], many, [2], [3]])
    assert recorder.groups == [[0], [1, *many], [2, 3]]


def test_closing_writes_what_was_handed_in_and_then_refuses() -> None:
    recorder = Recorder()
    writer = GroupedWriter(recorder)
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(writer.write, [0])
        assert recorder.began.wait(10)
        second = threads.submit(writer.write, [1])
        while not writer._requests.qsize():
            sleep(0.001)
        closing = threads.submit(writer.close)
        recorder.let.set()
        closing.result()
    assert (first.result(), second.result()) == (["0"], ["1"])
    with pytest.raises(StoreError, match="closed"):
        writer.write([2])
