"""What must not be shown, and in which order rules speak."""

from __future__ import annotations

import numpy as np
import pytest

from service.memory.stock import Known
from service.retrieval.rules import Selection
from service.retrieval.values import Exclusions, Removed


def candidates(*sellers: str | None, brand: str | None = None) -> Known:
    rows = len(sellers)
    ids, owners, brands = (np.empty(rows, object) for _ in range(3))
    ids[:], owners[:], brands[:] = [f"id-{n}" for n in range(rows)], sellers, brand
    ones = np.ones(rows, np.int64)
    return Known(np.arange(rows), ids, ones, ones, owners, brands, {})


@pytest.mark.parametrize(
    ("exclusions", "rule"),
    [
        (Exclusions(itself="id-1"), "itself"),
        (Exclusions(seen=frozenset({"id-1"})), "seen"),
        (Exclusions(own=frozenset({"id-1"}), seen=frozenset({"id-1"})), "own"),
        (Exclusions(seller="b"), "own"),
        (Exclusions(blocked=frozenset({"id-1"}), seen=frozenset({"id-1"})), "blocked"),
        (Exclusions(blocked_sellers=frozenset({"b"})), "blocked"),
    ],
)
def test_each_exclusion_has_its_rule(exclusions: Exclusions, rule: str) -> None:
    selection = Selection(10, exclusions)
    assert selection.offer(candidates("a", "b", "c"), [2, 1, 0]) == [2, 0]
    assert selection.removed(explain=True) == {rule: Removed(1, (1,))}
    assert selection.removed(explain=False) == {rule: Removed(1)}


def test_so_many_of_a_seller_and_a_brand_and_those_of_nobody_without_end() -> None:
    selection = Selection(10, Exclusions(), a_seller=2)
    assert selection.offer(candidates("a", "a", "a", None, None, None, "b"), range(7)) == [0, 1, 3, 4, 5, 6]
    selection = Selection(10, Exclusions(), a_brand=1)
    assert selection.offer(candidates("a", "b", brand="acme"), range(2)) == [0]
    assert selection.removed(explain=True) == {"brand": Removed(1, (1,))}
    # No brand is not the brand that is called "".
    selection = Selection(10, Exclusions(), a_brand=1)
    known = candidates("a", "b", "c", "d")
    known.brands[:] = ["", None, "", None]
    assert selection.offer(known, range(4)) == [0, 1, 3]


def test_it_ends_at_k_and_a_copy_goes_on_by_itself() -> None:
    selection = Selection(3, Exclusions(), a_seller=1)
    assert selection.offer(candidates("a", "b"), [0, 1]) == [0, 1]
    copy = selection.copy()
    assert copy.offer(candidates("a", "b", "b", "d", "e"), range(5)) == [3]
    assert copy.full
    assert not selection.full
    assert selection.removed(explain=True) == {}
    # What a narrower filter has chosen is no news, and what is beyond k was never judged.
    assert copy.removed(explain=True) == {"seller": Removed(1, (2,))}


def test_a_listing_without_a_seller_is_nobodys_own() -> None:
    assert Selection(3, Exclusions(seller=None)).offer(candidates(None), [0]) == [0]
