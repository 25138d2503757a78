"""How many vectors differ from each other, told by hashes of their rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.data.describe import describe
from harness.data.stored import arrays
from harness.data.stored.arrays import distinct_rows, row_hashes
from tests.unit.data.user_data import VECTORS, Folder

NUMBERS = st.sampled_from([0.0, -0.0, 1.0, 2.0, -2.0, 0.5, 1e-40, 3e38])


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 3).flatmap(lambda dim: st.lists(st.tuples(*[NUMBERS] * dim), min_size=1, max_size=40)))
def test_as_many_as_there_are(rows: list[tuple[float, ...]]) -> None:
    assert distinct_rows(row_hashes(np.array(rows, np.float32))) == len(
        set(rows)
    )  # 0.0 is -0.0 in a set, too


@pytest.mark.parametrize("scale", [1.0, 2.0**-10, 2.0**20, 255.0])
def test_rows_of_round_numbers_differ(scale: float) -> None:
    """Their last bits are all 0, and many have the same numbers in another order."""
    grid = np.stack(np.meshgrid(*[np.arange(20)] * 4), -1).reshape(-1, 4).astype(np.float32) * scale
    assert distinct_rows(row_hashes(grid)) == 20**4
    assert distinct_rows(row_hashes(np.concatenate([grid, grid[::-1]]))) == 20**4


def test_rows_that_differ_in_their_signs_only_differ() -> None:
    """Numbers of one size differ in a single bit; either half of the hash tells 2^16 such rows apart."""
    signs = 1 - 2 * (np.arange(2**16)[:, None] >> np.arange(16) & 1).astype(np.float32)
    assert [len(np.unique(half)) for half in row_hashes(signs).T] == [2**16] * 2


def test_repeated_vectors_are_counted_across_blocks(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    repeated = VECTORS.copy()
    repeated[[30, 31, 39]], repeated[20] = repeated[2], -0.0
    repeated[3] = 0.0
    for values, told in ((repeated, 4), (VECTORS, 0)):
        folder.array("vectors", values)
        for block_bytes in (arrays.BLOCK_BYTES, 7 * 4 * values.shape[1]):
            monkeypatch.setattr(arrays, "BLOCK_BYTES", block_bytes)
            text = describe(folder.load())
            assert f"duplicates   {told} vectors repeat an earlier one" in text
    lengths = np.linalg.norm(VECTORS.astype(float), axis=1)
    low, high, mean = lengths.min(), lengths.max(), lengths.mean()
    assert f"norms        {low:.4g} to {high:.4g}, mean {mean:.4g} (not unit-normalised)" in text
