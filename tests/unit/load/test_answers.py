"""Answers made into matrices, looked at again, and kept in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest

from engines.base import Hits
from harness.load.answers import (
    AnswerStore,
    ChangeCheck,
    answer_block,
    as_list,
    pack_ids,
    pack_scores,
    read_column,
    unpack_answers,
)


class Worked:
    """A score that is computed when it is converted to a number."""

    def __float__(self) -> float:
        return 0.5


class Broken:
    """Ids that can no longer be read."""

    def __len__(self) -> int:
        raise ZeroDivisionError


def test_a_change_is_seen_once_later_requests_have_passed() -> None:
    check, buffer = ChangeCheck(), [1, 2]
    check.hold(Hits(buffer, []), buffer.copy())
    check.hold(Hits([3], []), [3])
    assert check.changed == 0
    check.hold(Hits(buffer, []), buffer.copy())
    buffer[0] = 9
    check.recheck()
    assert check.changed == 1
    check.hold(Hits(Broken(), []), [1])  # type: ignore[arg-type]
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


def test_what_is_read_is_a_copy() -> None:
    buffer = np.arange(3)
    taken = read_column(buffer)
    buffer[:] = 9
    assert as_list(taken) == [0, 1, 2]
    assert read_column((1, 2)) == [1, 2]
    assert read_column(np.array([[1, 2]])) == [[1, 2]]
    with pytest.raises(TypeError, match="no len"):
        read_column(iter([1]))


def test_scores_that_are_missing_or_no_numbers_are_nan() -> None:
    scores = [[1.5, 2.5], [], [1.0, 2.0, 3.0], [None, "1"], [10**400, 7], [np.float32(0.5), 3], [Worked(), 2]]
    ids = [[1, 2]] * 7
    expected = [
        [1.5, 2.5], [np.nan] * 2, [np.nan] * 2, [np.nan] * 2, [np.nan, 7], [0.5, 3], [np.nan, 2],
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
        ids = [[first + i] for i in range(block)]
        store.add(first, answer_block(ids, [[0.0]] * block, 1))
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
