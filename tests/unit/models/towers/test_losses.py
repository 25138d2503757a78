"""Sampled softmax estimates the full one; the usual correction of the target does not."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from models.towers.losses import full_softmax, sampled_softmax
from models.training.loop.proposal import Proposal

ITEMS, USERS = 300, 8


@pytest.fixture
def scores() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 2, (USERS, ITEMS)).astype(np.float32)


@pytest.fixture
def history() -> np.ndarray:
    return np.arange(USERS * 3, dtype=np.int32).reshape(USERS, 3) + 100


TARGET = np.arange(USERS, dtype=np.int32)
PRESENT = np.array([[True, True, False]] * USERS)


def test_full_softmax_leaves_out_the_history(scores: np.ndarray, history: np.ndarray) -> None:
    found = np.asarray(full_softmax(jnp.asarray(scores), TARGET, history, PRESENT))
    for user in range(USERS):
        allowed = np.delete(scores[user].astype(np.float64), history[user, :2])
        expected = np.log(np.exp(allowed).sum()) - scores[user, user]
        assert found[user] == pytest.approx(expected, abs=1e-4)


def sampled(scores: np.ndarray, history: np.ndarray, draws: int, seed: int) -> np.ndarray:
    taken = np.random.default_rng(1).integers(0, 50, ITEMS)
    negatives, log_expected = Proposal.of(taken, 0.3).draw(draws, np.random.default_rng(seed))
    return np.asarray(
        sampled_softmax(
            jnp.asarray(scores[np.arange(USERS), TARGET]),
            jnp.asarray(scores[:, negatives]),
            negatives=negatives,
            log_expected=log_expected,
            target=TARGET,
            history=history,
            present=PRESENT,
        )
    )


def test_sampled_softmax_agrees_with_the_full_one_within_its_interval(
    scores: np.ndarray, history: np.ndarray
) -> None:
    exact = np.asarray(full_softmax(jnp.asarray(scores), TARGET, history, PRESENT))
    runs = np.stack([sampled(scores, history, 4000, seed) for seed in range(40)])
    error = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
    assert (np.abs(runs.mean(axis=0) - exact) < 4 * error + 0.01).all()
    # Correcting the target too, as if it had been drawn, is another loss altogether.
    taken = np.random.default_rng(1).integers(0, 50, ITEMS)
    expected = np.log(4000 * Proposal.of(taken, 0.3).probability[TARGET])
    wrong = np.log(np.exp(-exact - expected) / (1 - np.exp(-exact) + np.exp(-exact - expected)))
    assert (np.abs(-wrong - exact) > 1).any()


def test_a_draw_that_is_the_target_or_in_the_history_does_not_count(
    scores: np.ndarray, history: np.ndarray
) -> None:
    arguments = {"target": TARGET[:1], "history": history[:1], "present": PRESENT[:1]}
    for negatives, counted in (([0], False), ([100], False), ([102], True), ([50], True)):
        drawn = np.array(negatives, np.int32)
        loss = sampled_softmax(
            jnp.asarray(scores[:1, 0]),
            jnp.asarray(scores[:1, drawn]),
            negatives=drawn,
            log_expected=np.zeros(1, np.float32),
            **arguments,
        )
        assert (float(loss[0]) > 1e-6) is counted, negatives


def test_every_item_can_be_drawn_and_as_often_as_stated() -> None:
    taken = np.array([0, 1, 9])
    items, log_expected = Proposal.of(taken, 0.4).draw(60_000, np.random.default_rng(0))
    shares = np.bincount(items, minlength=3) / len(items)
    expected = 0.4 / 3 + 0.6 * np.array([0.0, 0.1, 0.9])
    assert shares == pytest.approx(expected, abs=0.01)
    assert np.exp(log_expected[items == 2][0]) == pytest.approx(60_000 * expected[2])


def test_nothing_taken_at_all_is_drawn_uniformly() -> None:
    assert Proposal.of(np.zeros(4, np.int64), 0.5).probability == pytest.approx([0.25] * 4)
