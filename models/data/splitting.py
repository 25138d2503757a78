"""Holding back what a model is chosen and judged by: in time where times carry order, else each user's last item."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harness.errors import ConfigurationError
from models.data.interactions import Interactions, ItemLists, among, pair_codes
from models.data.items import Items
from models.data.moments import moment
from models.data.split import Cases, Split

VALIDATION_USERS = 4_000
_ORDERED = 0.5

Int64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def order_share(interactions: Interactions) -> float:
    """Of the users with two distinct items or more, the share who took them at more than one moment.

    It is small in a file of baskets whose times are days: nothing then tells what a user took first. 0 without times.
    """
    lists = interactions.distinct()
    several = lists.take(np.flatnonzero(lists.lengths >= 2))
    if several.times_ms is None or not len(several):
        return 0.0
    earliest = np.minimum.reduceat(several.times_ms, several.starts[:-1])
    latest = np.maximum.reduceat(several.times_ms, several.starts[:-1])
    return float((earliest < latest).mean())


def choose_split(
    interactions: Interactions,
    items: Items,
    *,
    validation_users: int = VALIDATION_USERS,
    shares: tuple[float, float] = (0.1, 0.1),
    gone_ms: Int64 | None = None,
    seed: int = 0,
) -> Split:
    """By time where half of the users with several items, or more, took them at different moments; else leave-last-out.

    Leave-last-out as well where no two moments divide the interactions. `why` says what decided. The arguments are
    those of `by_time` and `leave_last_out`. Raises ConfigurationError where neither leaves anything to judge by.
    """
    share = order_share(interactions)
    reason = f"{share:.0%} of the users with two items or more took them at more than one moment"
    if interactions.times_ms is None:
        reason = "there are no times"
    if share >= _ORDERED:
        try:
            split = by_time(interactions, items, shares=shares, gone_ms=gone_ms)
        except ConfigurationError as error:
            reason = f"although {reason}: {error}"
        else:
            return replace(split, why=f"by time: {reason}")
    split = leave_last_out(interactions, items, validation_users=validation_users, seed=seed)
    return replace(split, why=f"leave-last-out: {reason}")


def leave_last_out(
    interactions: Interactions, items: Items, *, validation_users: int = VALIDATION_USERS, seed: int = 0
) -> Split:
    """The last distinct item of each user with two or more is the target of a test case, the others are its history.

    Items are in the order in which a user last took them. The last item of the history of a random sample of the users
    with two items or more in it (`validation_users`, at most half of them) is the target of a validation case. What is
    no target is learnt from. A test case's history holds the target of validation, too: at that time it is known.
    Raises ConfigurationError where there are no such users.
    """
    lists = interactions.distinct()
    ordered = order_share(interactions) >= _ORDERED
    if not ordered:
        lists = replace(lists, times_ms=None)
    lengths = lists.lengths
    eligible = np.flatnonzero(lengths >= 3)
    if not len(eligible):
        most = int(lengths.max(initial=0))
        raise ConfigurationError(
            "leave-last-out needs users with three distinct items or more (one to test, one to validate, one to "
            f"learn from), no user has more than {most}; use data of a longer time"
        )
    count = min(validation_users, max(1, len(eligible) // 2))
    asked = np.sort(np.random.default_rng(seed).choice(eligible, count, replace=False))
    held_back = (lengths >= 2).astype(np.int64)
    held_back[asked] += 1
    training = lists.keep(_from_end(lists) > np.repeat(held_back, lengths))
    return Split(
        kind="leave-last-out",
        ordered=ordered,
        training=training,
        taken=np.bincount(training.items, minlength=len(items)),
        validation=_last(lists, asked, 2),
        test=_last(lists, np.flatnonzero(lengths >= 2), 1),
    )


def _from_end(lists: ItemLists) -> Int64:
    """The place of each item in its list, counted from the end: 1 is the last."""
    return np.repeat(lists.starts[1:], lists.lengths) - np.arange(len(lists.items))


def _last(lists: ItemLists, users: Int64, place: int) -> Cases:
    """Cases whose target has this place from the end, and whose history is what comes before it."""
    mine = lists.take(users)
    from_end = _from_end(mine)
    targets = mine.keep(from_end == place)
    return Cases(
        users=users.astype(np.int32),
        histories=mine.keep(from_end > place),
        targets=targets,
        asked_ms=targets.times_ms,
    )


def by_time(
    interactions: Interactions,
    items: Items,
    *,
    shares: tuple[float, float] = (0.1, 0.1),
    cut_offs_ms: tuple[int, int] | None = None,
    gone_ms: Int64 | None = None,
) -> Split:
    """What came before a first moment is learnt from, what came until a second validates, and the rest tests.

    shares: of the interactions, of validation and of test; they set the moments where `cut_offs_ms` does not. gone_ms:
    int64[items], when each item ceased to be had (see `first_taken_ms`); None where items stay. A case is a user with
    targets: distinct items of the window that its history, all before the window, does not hold; the history may be
    empty. Candidates are items listed before the window's end and not gone before its start. Raises ConfigurationError
    where the moments do not divide the interactions, or a window holds no target.
    """
    if interactions.times_ms is None:
        raise ConfigurationError("a split by time needs times; name their column with interactions.time")
    ordered = interactions.take(np.argsort(interactions.times_ms, kind="stable"))
    times_ms = ordered.times_ms
    assert times_ms is not None
    first, second = cut_offs_ms or _cut_offs(times_ms, shares)
    start, end = int(times_ms[0]), int(times_ms[-1])
    if not start < first < second <= end:
        raise ConfigurationError(
            f"the interactions from {moment(start)} to {moment(end)} are not divided by {moment(first)} and "
            f"{moment(second)}; use data of a longer time, or other shares or moments"
        )
    left_out: dict[str, int] = {}

    def window(name: str, since: int, until: int, histories: ItemLists) -> Cases:
        targets = ordered.distinct((times_ms >= since) & (times_ms < until))
        candidates = _candidates(items, (since, until), gone_ms)
        return _window(histories, targets, candidates, (since, until), name=name, left_out=left_out)

    training = ordered.distinct(times_ms < first)
    return Split(
        kind="time",
        ordered=True,
        training=training,
        taken=np.bincount(training.items, minlength=len(items)),
        validation=window("validation", first, second, training),
        test=window("test", second, end + 1, ordered.distinct(times_ms < second)),
        left_out=left_out,
    )


def first_taken_ms(interactions: Interactions, items: Items, least_weight: float = 0.0) -> Int64:
    """int64[items]: when each was first taken, the largest number where it never was.

    Where listings are one of a kind, this is when each has gone: of the interactions that weigh at least
    `least_weight`, for those of a sale are told from others by their weight. Raises ConfigurationError without times.
    """
    if interactions.times_ms is None:
        raise ConfigurationError(
            "one-of-a-kind listings need times; name their column with interactions.time"
        )
    found = np.full(len(items), np.iinfo(np.int64).max)
    sold = interactions.weights >= least_weight
    np.minimum.at(found, interactions.items[sold], interactions.times_ms[sold])
    return found


def _cut_offs(times_ms: Int64, shares: tuple[float, float]) -> tuple[int, int]:
    """The moments from which on these shares of the (sorted) times come."""
    count = len(times_ms)
    places = (count * (1 - shares[0] - shares[1]), count * (1 - shares[1]))
    first, second = (int(times_ms[min(max(int(place), 0), count - 1)]) for place in places)
    return first, second


def _candidates(items: Items, window: tuple[int, int], gone_ms: Int64 | None) -> Mask | None:
    there = np.ones(len(items), np.bool_)
    if items.listed_ms is not None:
        there &= items.listed_ms < window[1]
    if gone_ms is not None:
        there &= gone_ms >= window[0]
    return None if there.all() else there


def _window(
    histories: ItemLists,
    targets: ItemLists,
    candidates: Mask | None,
    span: tuple[int, int],
    *,
    name: str,
    left_out: dict[str, int],
) -> Cases:
    """The users whose targets their histories do not hold, and who can have them; counts the others."""
    start, end = span
    known = among(pair_codes(targets.owners, targets.items), pair_codes(histories.owners, histories.items))
    had = np.ones(len(targets.items), np.bool_) if candidates is None else candidates[targets.items]
    counts = {
        f"{name} targets that the user had taken before": int(known.sum()),
        f"{name} targets gone before {moment(start)} or listed after {moment(end)}": int(
            (~known & ~had).sum()
        ),
    }
    left_out.update({reason: count for reason, count in counts.items() if count})
    targets = targets.keep(~known & had)
    users = np.flatnonzero(targets.lengths)
    if not len(users):
        raise ConfigurationError(
            f"from {moment(start)} to {moment(end)} no user took anything new, so that there is no {name}; use data of "
            "a longer time, or other shares or moments"
        )
    return Cases(
        users=users.astype(np.int32),
        histories=histories.take(users),
        targets=targets.take(users),
        candidates=candidates,
        asked_ms=np.full(len(users), start, np.int64),
    )
