"""Events as rows: the order of time, nothing after a sale, no favourite twice, and no more than asked for."""

from __future__ import annotations

import numpy as np

from models.data.marketplace.history import FAVOURITE, PURCHASE, VIEW, History, as_history
from models.data.marketplace.visits import Views


def views(*rows: tuple[int, int, int, int, int]) -> Views:
    """Each row: user, listing, when viewed, marked and bought (-1 for never)."""
    users, listings, *moments = np.array(rows, np.int64).T
    return Views(users.astype(np.int32), listings.astype(np.int32), *moments)


def told(history: History) -> list[tuple[int, int, int, int]]:
    columns = (history.times_ms, history.users, history.items, history.events)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_events_come_in_the_order_of_time() -> None:
    history = as_history([views((0, 7, 50, 60, 90)), views((1, 3, 10, -1, -1))], 8, 100)
    assert told(history) == [(10, 1, 3, VIEW), (50, 0, 7, VIEW), (60, 0, 7, FAVOURITE), (90, 0, 7, PURCHASE)]


def test_nothing_happens_to_a_listing_after_its_sale() -> None:
    bought, late, elsewhere = (0, 7, 50, -1, 90), (1, 7, 80, 90, -1), (1, 6, 95, -1, -1)
    history = as_history([views(bought, late, elsewhere)], 8, 100)
    assert told(history) == [(50, 0, 7, VIEW), (80, 1, 7, VIEW), (90, 0, 7, PURCHASE), (95, 1, 6, VIEW)]
    assert history.after_sale == 1
    assert as_history([views(bought, (1, 7, 80, 89, -1))], 8, 100).after_sale == 0


def test_a_favourite_counts_once_a_user() -> None:
    history = as_history([views((0, 7, 10, 15, -1), (0, 7, 50, 60, -1), (1, 7, 20, 25, -1))], 8, 100)
    marked = [(time, user) for time, user, _, event in told(history) if event == FAVOURITE]
    assert marked == [(15, 0), (25, 1)]
    assert history.again == 1


def test_the_first_events_are_kept_and_later_sales_never_were() -> None:
    history = as_history([views((0, 7, 50, 60, 90), (1, 3, 10, -1, 20))], 8, 4)
    assert len(history) == 4
    assert history.sold_ms(8).tolist() == [-1, -1, -1, 20, -1, -1, -1, -1]


def test_a_market_without_views_has_no_events() -> None:
    assert len(as_history([], 8, 4)) == 0
