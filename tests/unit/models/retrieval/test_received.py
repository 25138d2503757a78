"""What counts of an engine's answers: not the user's history, nothing that breaks the filter, and each place once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.oracle.exact import exact_neighbours
from models.data.interactions import ItemLists
from models.retrieval.received import neighbours, received, without_history
from tests.unit.models.retrieval.made import K, asked, held_out, no_filters, own_filters


def test_histories_are_taken_out_and_the_rest_moves_up() -> None:
    ids = np.array([[5, 1, 7, 2, 9], [5, 1, 7, 2, 9], [4, 3, -1, -1, -1]], np.int32)
    histories = ItemLists.of([[1, 2], [], [4]])
    assert without_history(ids, histories, 3).tolist() == [[5, 7, 9], [5, 1, 7], [3, -1, -1]]
    twice = np.array([[1, 1, 5, 1]], np.int32)
    assert without_history(twice, ItemLists.of([[1]]), 2).tolist() == [[5, -1]]


def test_an_exact_engine_gives_every_user_k_listings_outside_the_history() -> None:
    held = held_out()
    assert len(set(held.hits(K))) == 8  # as many as each history needs, not as the longest does
    got = received(asked(held, no_filters(held)), held, no_filters(held), K)
    assert (got.answers >= 0).all()
    assert got.answers.shape == (400, K)
    assert (got.unknown, got.repeats, got.violations) == (0, 0, 0)
    for user in range(len(held.cases)):
        assert not set(got.answers[user]) & set(held.cases.histories[user].tolist())


def test_faults_take_the_places_of_what_would_have_been_right() -> None:
    """Were they dropped before the k-th answer is cut off, an engine would be forgiven by being asked for more."""
    held = held_out(users=2)
    filters = own_filters(held)
    right = asked(held, filters)
    wrong = right.copy()
    histories = [set(held.cases.histories[user].tolist()) for user in (0, 1)]
    place = next(at for at in range(K) if right[0, at] not in histories[0])
    wrong[0, place] = 10**12  # no listing
    first, last = [at for at in range(K) if right[1, at] not in histories[1]][:2]
    wrong[1, last] = right[1, first]  # twice
    got, twin = (received(each, held, filters, K) for each in (wrong, right))
    assert (got.unknown, got.repeats, got.violations) == (1, 1, 0)
    assert (twin.unknown, twin.repeats, twin.violations) == (0, 0, 0)
    assert (got.answers >= 0).sum(axis=1).tolist() == [K - 1, K - 1]
    assert right[0, place] in twin.answers[0]
    assert set(got.answers[0]) - {-1} == set(twin.answers[0]) - {right[0, place]}


def test_what_breaks_the_filter_is_counted_and_does_not_count() -> None:
    held = held_out()
    filters = own_filters(held)
    got = received(asked(held, no_filters(held)), held, filters, K)
    brands = held.dataset.columns["brand"]
    kept = [brands.codes[row[row >= 0]] for row in got.answers]  # type: ignore[union-attr]
    assert all((codes == user % 4).all() for user, codes in enumerate(kept))
    assert got.violations == len(held.cases) * K - sum(map(len, kept)) > 0


def test_what_was_not_asked_for_is_not_looked_at() -> None:
    held = held_out(users=50)
    wide = exact_neighbours(held.dataset.vectors, held.dataset.queries, 100, "cosine").ids
    want = received(asked(held, no_filters(held)), held, no_filters(held), K)
    np.testing.assert_array_equal(received(wide, held, no_filters(held), K).answers, want.answers)


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_distances_order_as_the_oracle_s_and_are_not_negative(metric: str) -> None:
    held = held_out(users=30, metric=metric)  # type: ignore[arg-type]
    found = exact_neighbours(held.dataset.vectors, held.dataset.queries, 50, held.dataset.metric)
    near = neighbours(found.ids.astype(np.int32), held.dataset)
    assert (near.distances >= 0).all()
    assert (np.diff(near.distances, axis=1) >= 0).all()


def test_inner_product_and_cosine_have_the_same_ratios_where_lengths_are_equal() -> None:
    held = held_out(users=30)
    vectors = held.dataset.vectors / np.linalg.norm(held.dataset.vectors, axis=1, keepdims=True)
    ids = np.tile(np.arange(10, dtype=np.int32), (30, 1))
    ip, cosine = (
        neighbours(ids, replace(held.dataset, vectors=vectors, metric=metric)).distances
        for metric in ("ip", "cosine")
    )
    np.testing.assert_allclose(ip / ip[:, :1], cosine / cosine[:, :1], rtol=1e-4)
