"""Answers that are not what they seem: work left until they are read, buffers used again, columns of odd types."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engines.base import Capabilities, Hits
from harness.load.answers import (
    KEPT_HITS,
    AnswerStore,
    ChangeCheck,
    answer_block,
    as_list,
    pack_ids,
    pack_scores,
    read_column,
    unpack_answers,
)
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
    """Returns zeros and has the ids put in their place by a thread."""

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Any:
        number, ids = int(vector[0]), [0] * K

        def fill() -> None:
            ids[:] = [number * 10 + i for i in range(K)]

        threading.Timer(0.002, fill).start()
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
    def patient(number: int) -> Hits:
        time.sleep(0.001)
        return echo(number)

    engine = FilledLater(patient)
    samples = run(engine)
    time.sleep(0.02)
    late = samples.ids[samples.query > 0]
    assert (late == 0).mean() > 0.8


@RUNS
def test_answers_that_stay_as_they_are_have_not_changed(run: Callable[[Any], Samples]) -> None:
    for engine in (Calling(echo), Calling(lambda number: Hits(np.arange(number), np.zeros(number)))):
        samples = run(engine)
        assert samples.changed == 0
        assert 0 < samples.rechecked <= len(samples)


def test_a_change_is_seen_once_later_requests_have_passed() -> None:
    check, buffer = ChangeCheck(), [1, 2]
    check.hold(Hits(buffer, []), buffer.copy())
    check.hold(Hits([3], []), [3])
    assert check.changed == 0
    check.hold(Hits(buffer, []), buffer.copy())
    buffer[0] = 9
    check.recheck()
    assert check.changed == 1
    check.hold(Hits(Lazy(lambda: 1 // 0), []), [1])
    check.recheck()
    assert (check.changed, check.rechecked) == (2, 4)


def test_arrays_are_taken_as_lists_are() -> None:
    """Whole arrays at once where all are alike, and one by one where one is not."""
    lists = [[5, 6, 7], [], [8]], [[0.5, 0.6, 0.7], [], [0.8]]
    expected = answer_block(*lists, 2)
    for ids_type, scores_type in ((np.int64, np.float32), (np.int32, np.float64), (np.uint64, np.float32)):
        ids = [np.array(answer, dtype=ids_type) for answer in lists[0]]
        scores = [np.array(answer, dtype=scores_type) for answer in lists[1]]
        for given in ((ids, scores), ([ids[0], [], ids[2]], [scores[0], scores[1], [0.8]])):
            found = answer_block(*given, 2)
            assert found.unreadable == {}
            np.testing.assert_array_equal(found.ids, expected.ids)
            np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-6)
            np.testing.assert_array_equal(found.lengths, expected.lengths)
    broken = answer_block(
        [np.array([1, 2]), np.array([0.5, 1.0]), np.array([2**63], dtype=np.uint64)], [[1, 1]] * 3, 2
    )
    assert broken.ids.tolist() == [[1, 2], [-1, -1], [-1, -1]]
    assert sorted(broken.unreadable) == [1, 2]


def test_what_is_plain_is_a_copy() -> None:
    buffer = np.arange(3)
    taken = read_column(buffer)
    buffer[:] = 9
    assert as_list(taken) == [0, 1, 2]
    assert read_column((1, 2)) == [1, 2]
    assert read_column(np.array([[1, 2]])) == [[1, 2]]
    with pytest.raises(TypeError, match="no len"):
        read_column(iter([1]))


def test_scores_that_are_missing_or_no_numbers_are_nan() -> None:
    scores = [[1.5, 2.5], [], [1.0, 2.0, 3.0], [None, "1"], [10**400, 7], [np.float32(0.5), 3]]
    ids = [[1, 2]] * 6
    expected = [
        [1.5, 2.5], [np.nan] * 2, [np.nan] * 2, [np.nan] * 2, [np.nan, 7], [0.5, 3],
    ]  # fmt: skip
    np.testing.assert_array_equal(answer_block(ids, scores, 2).scores, expected)
    stored = unpack_answers(
        [pack_ids(answer) for answer in ids], [pack_scores(answer) for answer in scores], 2
    )
    np.testing.assert_array_equal(stored.scores, expected)


def test_an_answer_beyond_k_keeps_its_length_and_its_first_k() -> None:
    found = answer_block([[5, 6, 7], [], [8]], [[0.5, 0.6, 0.7], [], [0.8]], 2)
    assert found.ids.tolist() == [[5, 6], [-1, -1], [8, -1]]
    assert found.lengths.tolist() == [3, 0, 1]
    np.testing.assert_array_equal(found.scores, [[0.5, 0.6], [np.nan] * 2, [0.8, np.nan]])
    same = unpack_answers(*([pack(a) for a in column] for pack, column in (
        (pack_ids, [[5, 6, 7], [], [8]]), (pack_scores, [[0.5, 0.6, 0.7], [], [0.8]]),
    )), 2)  # fmt: skip
    np.testing.assert_array_equal(same.ids, found.ids)
    np.testing.assert_array_equal(same.lengths, found.lengths)


def filled(count: int, room: int, block: int = 100) -> AnswerStore:
    store = AnswerStore(1, room, np.random.default_rng(3))
    for first in range(0, count, block):
        pack_scores = [[first + i] for i in range(block)]
        store.add(first, answer_block(pack_scores, [[0.0]] * block, 1))
    return store


def test_what_is_kept_is_bounded_and_uniform() -> None:
    store = filled(100_000, 5_000)
    rows, ids, scores = store.columns()
    assert 2_000 < len(rows) <= 5_000
    assert len(ids) == len(scores) == len(rows)
    assert (ids[:, 0] == rows).all()
    assert (np.diff(rows) > 0).all()
    assert len(rows) == pytest.approx(100_000 * store.share, rel=0.1)
    per_tenth = np.histogram(rows, bins=10, range=(0, 100_000))[0]
    # Kept with one probability everywhere: a tenth's number is binomial, five standard deviations are 5 sqrt(n p).
    assert (abs(per_tenth - per_tenth.mean()) < 5 * np.sqrt(per_tenth.mean())).all()
    assert abs(np.mean(rows % 2) - 0.5) < 0.05


def test_all_is_kept_while_there_is_room() -> None:
    store = filled(1_000, 1_000)
    assert store.share == 1
    assert store.columns()[0].tolist() == list(range(1_000))
    assert AnswerStore(3, 5, np.random.default_rng(0)).columns()[1].shape == (0, 3)


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
