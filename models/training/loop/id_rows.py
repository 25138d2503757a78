"""The table of ids of a large catalogue, of which a step needs few rows.

A step that moved every row would cost more the more listings there are. Rows that a step does not need keep their
weights and their moments: there is no gradient for them, and they do not decay (Adam is then called lazy).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import jax

Tree = Any  # arrays: weights, or what an optimiser keeps beside them


def gathered(tree: Tree, rows: jax.Array) -> Tree:
    """The same with only these rows of every table of ids. rows: int32[r]; those beyond the table repeat its last."""
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: leaf.at[rows].get(mode="clip") if _of_ids(path) else leaf, tree
    )


def scattered(tree: Tree, part: Tree, rows: jax.Array) -> Tree:
    """The tables of ids with rows put back, and all else from `part`. Rows beyond the table are left out."""
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf, new: leaf.at[rows].set(new, mode="drop") if _of_ids(path) else new, tree, part
    )


def _of_ids(path: tuple[Any, ...]) -> bool:
    """Whether a place in the tree is `TwoTower.listing.ids`, or what an optimiser keeps for it."""
    names = [str(getattr(key, "key", getattr(key, "name", None))) for key in path]
    return ("listing", "ids") in pairwise(names)
