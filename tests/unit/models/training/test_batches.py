"""Examples: what is asked for is not given away, and what comes later is not known before."""

from __future__ import annotations

import numpy as np
import pytest

from models.data.interactions import ItemLists
from models.training.loop.batches import DAY_MS, Batch, Sampling, epoch, padded

NO_LOSS = Sampling(size=4, longest=5, dropout=0.0, forgotten=0.0, declared=1.0)


def lists(times: bool = False) -> ItemLists:
    rows = [[1, 2, 3], [4], [5, 6], [], [7, 8, 9, 10, 11, 12, 13], [14, 15], [16, 17, 18]]
    made = ItemLists.of(rows)
    return ItemLists(made.starts, made.items, made.items.astype(np.int64) * DAY_MS if times else None)


def batches(sampling: Sampling, ordered: bool = False, epochs: int = 100) -> list[Batch]:
    return [
        batch
        for number in range(epochs)
        for batch in epoch(lists(ordered), ordered, sampling, np.random.default_rng(number))
    ]


def owners(batch: Batch) -> list[list[int]]:
    """The whole list that each target comes from."""
    rows = [lists()[row].tolist() for row in range(len(lists()))]
    return [next(row for row in rows if target in row) for target in batch.target.tolist()]


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("sampling", [NO_LOSS, Sampling(4, 5, 0.5, 0.3, 0.5)])
def test_the_target_is_never_in_its_history_nor_declared(ordered: bool, sampling: Sampling) -> None:
    seen = set()
    for batch in batches(sampling, ordered):
        assert len(batch.target) == 4
        for row, (target, whole) in enumerate(zip(batch.target.tolist(), owners(batch), strict=True)):
            history = batch.items[row][batch.present[row]].tolist()
            assert target not in history
            assert batch.declared[row] != target
            assert set(history) <= set(whole)
            assert batch.declared[row] in (-1, *whole)
            seen.add(target)
            if ordered:
                assert all(item < target for item in [*history, batch.declared[row]])
    firsts = {1, 5, 7, 14, 16}
    everything = {1, 2, 3, 5, 6, *range(7, 19)}
    assert seen == (everything - firsts if ordered else everything)


def test_without_dropout_the_history_is_all_the_rest_the_newest_first_to_stay() -> None:
    for batch in batches(NO_LOSS):
        for row, (target, whole) in enumerate(zip(batch.target.tolist(), owners(batch), strict=True)):
            rest = [item for item in whole if item != target]
            assert batch.items[row][batch.present[row]].tolist() == rest[-5:]


def test_dropout_never_empties_a_history_and_forgetting_does() -> None:
    dropped = batches(Sampling(4, 5, 0.9, 0.0, 0.0))  # 8.8 items of history a batch without dropout
    assert all(batch.present.any(axis=1).all() for batch in dropped)
    assert np.mean([batch.present.sum() for batch in dropped]) < 7.5
    forgotten = batches(Sampling(4, 5, 0.0, 0.5, 0.0))
    empty = np.concatenate([~batch.present.any(axis=1) for batch in forgotten])
    declared = np.concatenate([batch.declared >= 0 for batch in forgotten])
    assert 0.3 < empty.mean() < 0.7
    assert (declared == empty).all()  # who has no history says something


def test_ages_count_from_the_moment_of_the_target() -> None:
    for batch in batches(NO_LOSS, ordered=True, epochs=5):
        expected = np.where(batch.present, batch.target[:, None] - batch.items, 0)
        assert batch.age_days == pytest.approx(expected)


def test_padding_keeps_the_newest_items() -> None:
    items, present, ages = padded(lists(times=True), 2, np.full(7, 20 * DAY_MS))
    assert items.tolist() == [[2, 3], [4, 0], [5, 6], [0, 0], [12, 13], [14, 15], [17, 18]]
    assert present.sum(axis=1).tolist() == [2, 1, 2, 0, 2, 2, 2]
    assert ages[0].tolist() == [18, 17]
    assert padded(lists(), 2, np.full(7, 20 * DAY_MS))[2].max() == 0


def test_an_epoch_has_every_user_once_as_far_as_batches_fill() -> None:
    five = Sampling(5, 5, 0.0, 0.0, 0.0)
    (batch,) = epoch(lists(), False, five, np.random.default_rng(0))
    assert len({tuple(whole) for whole in owners(batch)}) == 5
