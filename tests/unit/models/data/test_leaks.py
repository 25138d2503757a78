from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models.data.interactions import Interactions, ItemLists
from models.data.leaks import LeakError, check_no_leak
from models.data.split import Cases, Split
from models.data.splitting import by_time, leave_last_out
from tests.unit.models.data.made import catalogue, taken

_INTERACTIONS = taken(
    *((user, (user + step) % 9, 10 * step + user % 3) for step in range(6) for user in range(8))
)
_ITEMS = catalogue(9)


def _last_out() -> Split:
    return leave_last_out(_INTERACTIONS, _ITEMS, validation_users=3)


def _timed() -> Split:
    return by_time(_INTERACTIONS, _ITEMS, cut_offs_ms=(30, 40))


def _with(lists: ItemLists, row: int, item: int, time: int = 0) -> ItemLists:
    """The lists, with one more item in a row."""
    rows = [lists[number].tolist() for number in range(len(lists))]
    place = int(lists.starts[row + 1])
    rows[row].append(item)
    times = None if lists.times_ms is None else np.insert(lists.times_ms, place, time)
    return replace(ItemLists.of(rows), times_ms=times)


def _training(split: Split, user: int, item: int, time: int = 0) -> Split:
    training = _with(split.training, user, item, time)
    return replace(split, training=training, taken=np.bincount(training.items, minlength=9))


def _history(cases: Cases, case: int, item: int, time: int = 0) -> Cases:
    return replace(cases, histories=_with(cases.histories, case, item, time))


def _leaks(split: Split, interactions: Interactions = _INTERACTIONS) -> str:
    with pytest.raises(LeakError) as caught:
        check_no_leak(split, interactions)
    return "\n".join(caught.value.leaks)


@pytest.mark.parametrize("make", [_last_out, _timed])
def test_a_sound_split_leaks_nothing(make: Callable[[], Split]) -> None:
    split = make()
    check_no_leak(split, _INTERACTIONS)
    assert len(split.validation) > 0


@pytest.mark.parametrize("make", [_last_out, _timed])
@pytest.mark.parametrize("asked", ["validation", "test"])
def test_a_target_in_training_is_found(make: Callable[[], Split], asked: str) -> None:
    split = make()
    cases: Cases = getattr(split, asked)
    user, item = int(cases.users[0]), int(cases.targets[0][0])
    told = (
        f"1 items of {asked}'s targets are in training, too, such as the item in row {item} of user 'u{user}'"
    )
    assert told in _leaks(_training(split, user, item))


@pytest.mark.parametrize("make", [_last_out, _timed])
@pytest.mark.parametrize("asked", ["validation", "test"])
def test_a_target_in_its_own_history_is_found(make: Callable[[], Split], asked: str) -> None:
    split = make()
    cases: Cases = getattr(split, asked)
    leaking = replace(split, **{asked: _history(cases, 0, int(cases.targets[0][0]))})
    assert f"1 items of {asked}'s targets are in {asked}'s histories, too" in _leaks(leaking)


@pytest.mark.parametrize("make", [_last_out, _timed])
def test_what_validates_does_not_show_what_tests(make: Callable[[], Split]) -> None:
    split = make()
    user = int(np.intersect1d(split.validation.users, split.test.users)[0])
    item = int(split.test.targets[int(np.flatnonzero(split.test.users == user)[0])][0])
    case = int(np.flatnonzero(split.validation.users == user)[0])
    history = replace(split, validation=_history(split.validation, case, item))
    assert "1 items of test's targets are in validation's histories, too" in _leaks(history)
    targets = _with(split.validation.targets, case, item)
    asked = replace(split, validation=replace(split.validation, targets=targets))
    assert "1 items of test's targets are in validation's targets, too" in _leaks(asked)


def test_training_on_what_came_after_the_cut_off_is_found() -> None:
    split = _timed()
    # User 0 took item 3 at 30: neither user asks for it any more, so that only the moment tells.
    cases = split.validation.take(np.arange(1, len(split.validation)))
    harmless = replace(split, validation=cases)
    check_no_leak(harmless, _INTERACTIONS)
    late = _training(harmless, 0, 3, time=5)  # with a time that is made up
    assert "1 items of training were taken only after validation is asked" in _leaks(late)
    told = replace(split.training, times_ms=np.where(split.training.items == 0, 99, split.training.times_ms))
    assert "of training were taken only after" in _leaks(replace(split, training=told))


@pytest.mark.parametrize("asked", ["validation", "test"])
def test_a_history_from_the_future_is_found(asked: str) -> None:
    split = _timed()
    cases: Cases = getattr(split, asked)
    told = f"of {asked}'s histories were not yet taken when it is asked"
    early = replace(cases, asked_ms=cases.asked_ms - 15)  # type: ignore[operator]
    # The interactions tell it, also where the history says nothing of times; so does the history on its own.
    silent = replace(early, histories=replace(cases.histories, times_ms=None))
    late = replace(cases, histories=replace(cases.histories, times_ms=cases.histories.times_ms + 60))  # type: ignore[operator]
    for leaking in (early, silent, late):
        assert told in _leaks(replace(split, **{asked: leaking}))
    assert f"{asked} does not say when" in _leaks(replace(split, **{asked: replace(cases, asked_ms=None)}))


def test_a_last_item_that_was_not_the_last_is_found() -> None:
    split = _last_out()
    test = split.test
    # The first of the history is asked for, the last is known; training has neither.
    swapped = [test.histories[0].tolist(), test.targets[0].tolist()]
    histories, targets = [*swapped[0][1:], *swapped[1]], swapped[0][:1]
    alone = Cases(test.users[:1], ItemLists.of([histories]), ItemLists.of([targets]))
    kept = split.training.keep(
        (split.training.owners != test.users[0]) | (split.training.items != targets[0])
    )
    others = replace(
        split,
        training=kept,
        taken=np.bincount(kept.items, minlength=9),
        validation=split.validation.take(np.arange(0)),
        test=alone,
    )
    assert "of test's histories were not yet taken when it is asked" in _leaks(others)
    honest = Cases(test.users[:1], ItemLists.of([swapped[0]]), ItemLists.of([swapped[1]]))
    check_no_leak(replace(others, test=honest), _INTERACTIONS)


def test_items_that_nobody_took_and_counts_of_other_items_are_found() -> None:
    split = _last_out()
    assert "1 items of training are no interactions, such as the item in row 8 of user 'u0'" in _leaks(
        _training(split, 0, 8)
    )
    told = split.taken.copy()
    told[split.test.targets.items[0]] += 1
    assert _leaks(replace(split, taken=told)) == "`taken` counts other items than those of training"


def test_a_target_that_is_no_candidate_is_found() -> None:
    split = _timed()
    there = np.ones(9, np.bool_)
    check_no_leak(replace(split, test=replace(split.test, candidates=there)), _INTERACTIONS)
    there[split.test.targets.items[0]] = False
    gone = replace(split, test=replace(split.test, candidates=there))
    assert "of test's targets are no candidates" in _leaks(gone)
