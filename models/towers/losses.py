"""Losses: how surprising each example's target is among the items that it was chosen from."""

from __future__ import annotations

import jax
import jax.numpy as jnp

_EXCLUDED = -1e9


def full_softmax(scores: jax.Array, target: jax.Array, history: jax.Array, present: jax.Array) -> jax.Array:
    """-log p(target) of each example under the softmax over every item but those of its history: float32[b].

    scores: float32[b, n]. target: int32[b]. history: int32[b, m], of which `present` (bool[b, m]) are there.
    """
    rows = jnp.arange(len(target))
    columns = jnp.where(present, history, scores.shape[1])  # dropped: there is no such column
    # A mask, so that nothing but a selection is differentiated: overwriting scores costs half as much again.
    seen = jnp.zeros(scores.shape, bool).at[rows[:, None], columns].set(True, mode="drop")
    return jax.nn.logsumexp(jnp.where(seen, _EXCLUDED, scores), axis=-1) - scores[rows, target]


def sampled_softmax(
    target_score: jax.Array,
    scores: jax.Array,
    *,
    negatives: jax.Array,
    log_expected: jax.Array,
    target: jax.Array,
    history: jax.Array,
    present: jax.Array,
) -> jax.Array:
    """The same, its denominator estimated from s sampled items: float32[b].

    target_score: float32[b]. scores: float32[b, s] of the items `negatives` (int32[s]), drawn with replacement.
    log_expected: float32[s], logarithm of how often each is expected among the s draws. Every draw stands for
    1 / expected items, so that the sum over draws that are neither the target nor in the history is an unbiased
    estimate of the sum over all such items. The target is not drawn: its own term is exact and gets no correction
    (Bengio and Senecal 2008 for the estimate; correcting the target as well, as is often done, is biased).
    """
    same = negatives[None, :] == target[:, None]
    seen = ((negatives[None, :, None] == history[:, None, :]) & present[:, None, :]).any(-1)
    corrected = jnp.where(same | seen, _EXCLUDED, scores - log_expected[None, :])
    everything = jnp.concatenate([target_score[:, None], corrected], axis=1)
    return jax.nn.logsumexp(everything, axis=-1) - target_score
