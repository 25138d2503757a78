"""Answers that are not what they seem, under load: work left until they are read, buffers used again, odd columns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engines.base import Capabilities, Hits
from harness.load.answers import KEPT_HITS
from harness.load.closed_loop import closed_loop
from harness.load.open_loop import open_loop
from harness.load.schedules import constant
from harness.results.samples import ERROR, OK, Samples
from tests.unit.load.load_engines import Calling, K, echo, numbered

WORKLOAD = numbered(20)
SLOW_S = 0.004


class Lazy:
    """Finds its values when it is first looked at."""

    def __init__(self, find: Callable[[], list[Any]]) -> None:
        self.find, self.found = find, None

    def values(self) -> list[Any]:
        if self.found is None:
            self.found = self.find()
        return self.found

    def __len__(self) -> int:
        return len(self.values())

    def __iter__(self) -> Any:
        return iter(self.values())

    def __getitem__(self, index: Any) -> Any:
        return self.values()[index]


class LazyList(list):
    """A list that is empty until it is looked at."""

    def __init__(self, find: Callable[[], list[Any]]) -> None:
        super().__init__()
        self.find = find

    def fill(self) -> None:
        if not super().__len__():
            self.extend(self.find())

    def __len__(self) -> int:
        self.fill()
        return super().__len__()

    def __iter__(self) -> Any:
        self.fill()
        return super().__iter__()


class LazyNumber:
    """A number that has to be worked out."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        time.sleep(SLOW_S)
        return self.value

    def __add__(self, other: Any) -> Any:
        return self

    __radd__ = __add__


def slowly(number: int) -> list[Any]:
    time.sleep(SLOW_S)
    return list(echo(number).ids)


def run_closed(engine: Any) -> Samples:
    return closed_loop(engine, WORKLOAD, duration_s=30, max_queries=20)


def run_open(engine: Any) -> Samples:
    return open_loop(engine, WORKLOAD, constant(200, 0.1), clients=2)


RUNS = pytest.mark.parametrize("run", [run_closed, run_open])


@RUNS
@pytest.mark.parametrize(
    "answer",
    [
        lambda number: Hits(Lazy(lambda: slowly(number)), [0.0] * (number % (K + 1))),
        lambda number: Hits(LazyList(lambda: slowly(number)), [0.0] * (number % (K + 1))),
        lambda number: Hits(list(echo(number).ids), Lazy(lambda: [0.0 * s for s in slowly(number)])),
    ],
    ids=["a lazy sequence", "a lazy list", "lazy scores"],
)
def test_what_is_done_when_an_answer_is_read_is_timed(run: Callable[[Any], Samples], answer: Any) -> None:
    samples = run(Calling(answer))
    assert (samples.status == OK).all()
    assert (samples.service_time_ns >= SLOW_S * 1e9).all()
    for query, ids in zip(samples.query, samples.ids, strict=True):
        expected = list(echo(query).ids)
        assert ids.tolist() == expected + [-1] * (K - len(expected))


@RUNS
def test_an_answer_that_cannot_be_read_is_an_error_with_its_reason(run: Callable[[Any], Samples]) -> None:
    def answer(number: int) -> Hits:
        def fail() -> list[Any]:
            raise RuntimeError("the server said 500")

        return Hits(Lazy(fail), [0.0]) if number % 2 else echo(number)

    samples = run(Calling(answer))
    assert np.array_equal(samples.status == ERROR, samples.query % 2 == 1)
    assert set(samples.errors) == {"RuntimeError: the server said 500"}


@RUNS
@pytest.mark.parametrize(
    "ids",
    [
        [LazyNumber(1)],
        (i for i in (1, 2)),
        ["1"],
        [1.0],
        np.array([1.0], dtype=np.float32),
        np.array([[1, 2]]),
        [None],
        [2**63],
        np.array([2**63], dtype=np.uint64),
    ],
    ids=["lazy numbers", "iterator", "text", "float", "float32", "matrix", "none", "too large", "unsigned"],
)
def test_ids_that_are_no_whole_numbers_are_errors_of_their_requests(
    run: Callable[[Any], Samples], ids: Any
) -> None:
    samples = run(Calling(lambda number: Hits(ids, [1.0]) if number == 4 else echo(number)))
    assert np.array_equal(samples.status == ERROR, samples.query == 4)
    assert (samples.lengths[samples.query == 4] == 0).all()
    assert len(samples.errors) == 1


@RUNS
@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint64, list, tuple, "scalars"])
def test_whole_numbers_of_any_kind_are_read(run: Callable[[Any], Samples], kind: Any) -> None:
    def answer(number: int) -> Hits:
        ids = list(echo(number).ids)
        if kind == "scalars":
            return Hits([np.int64(i) for i in ids], [np.float32(i) for i in ids])
        return Hits(
            kind(ids) if kind in (list, tuple) else np.array(ids, dtype=kind), [float(i) for i in ids]
        )

    samples = run(Calling(answer))
    assert (samples.status == OK).all()
    for query, ids in zip(samples.query, samples.ids, strict=True):
        assert ids[ids >= 0].tolist() == list(echo(query).ids)
    assert samples.scores is not None
    assert np.array_equal(np.isnan(samples.scores), samples.ids < 0)
    assert np.array_equal(samples.scores[samples.ids >= 0], samples.ids[samples.ids >= 0])


class OneBuffer(Calling):
    """Returns the same buffer each time."""

    capabilities = Capabilities(thread_safe=True)

    def __init__(self, make: Callable[[list[int]], Any]) -> None:
        super().__init__(echo)
        self.buffer = make([0] * K)

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Any:
        number = int(vector[0])
        self.buffer[:] = [number * 10 + i for i in range(K)]
        return Hits(self.buffer, [0.0] * K)


class FilledLater(Calling):
    """Returns zeros, and puts the ids in their place when the next query comes."""

    def __init__(self) -> None:
        super().__init__(echo)
        self.fill: Callable[[], None] = lambda: None

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Any:
        self.fill()
        number, ids = int(vector[0]), [0] * K

        def fill() -> None:
            ids[:] = [number * 10 + i for i in range(K)]

        self.fill = fill
        return Hits(ids, [0.0] * K)


@RUNS
@pytest.mark.parametrize("make", [list, np.array])
def test_a_buffer_that_is_used_again_is_noticed_and_answers_are_taken_as_they_were(
    run: Callable[[Any], Samples], make: Any
) -> None:
    samples = run(OneBuffer(make))
    assert 0 < samples.changed <= samples.rechecked <= len(samples)
    if run is run_closed:
        assert (samples.ids[:, 0] == samples.query * 10).all()


@RUNS
def test_what_is_filled_in_after_the_answer_does_not_count(run: Callable[[Any], Samples]) -> None:
    engine = FilledLater()
    samples = run(engine)
    engine.fill()
    late = samples.ids[samples.query > 0]
    assert (late == 0).mean() > 0.8


@RUNS
def test_answers_that_stay_as_they_are_have_not_changed(run: Callable[[Any], Samples]) -> None:
    for engine in (Calling(echo), Calling(lambda number: Hits(np.arange(number), np.zeros(number)))):
        samples = run(engine)
        assert samples.changed == 0
        assert 0 < samples.rechecked <= len(samples)


def test_memory_does_not_grow_with_the_answers() -> None:
    """Four times as many hits as are kept."""
    k = KEPT_HITS // 1_000
    answer = Hits(list(range(k)), [0.0] * k)
    workload = replace(WORKLOAD, k=k)
    samples = closed_loop(Calling(lambda number: answer), workload, duration_s=60, max_queries=4_000)
    assert len(samples) == 4_000
    assert samples.ids.size <= KEPT_HITS
    assert samples.share < 1
    assert (samples.lengths == k).all()
