"""Values and arrays in plain files, and the hash over both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.features.stored import Arrays, digest, read_arrays, write_arrays

VALUES: dict[str, Any] = {"b": 1, "a": [1.5, "x"]}
ARRAYS: Arrays = {"one": np.zeros((2, 3), np.float32), "two": np.arange(4)}


@pytest.mark.parametrize(
    ("values", "arrays"),
    [
        ({"b": 2, "a": [1.5, "x"]}, ARRAYS),
        ({"a": [1.5, "x"], "b": 1}, ARRAYS),  # columns have an order
        (VALUES, {"two": ARRAYS["two"]}),
        (VALUES, {"uno": ARRAYS["one"], "two": ARRAYS["two"]}),
        (VALUES, {"one": ARRAYS["one"].reshape(3, 2), "two": ARRAYS["two"]}),
        (VALUES, {"one": np.zeros((2, 3), np.int32), "two": ARRAYS["two"]}),
        (VALUES, {"one": ARRAYS["one"], "two": ARRAYS["two"] + 1}),
    ],
)
def test_whatever_changes_changes_the_hash(values: dict[str, Any], arrays: Arrays) -> None:
    assert digest(values, arrays) != digest(VALUES, ARRAYS)


def test_how_arrays_lie_in_memory_does_not_change_the_hash() -> None:
    table = np.arange(6, dtype=np.float32).reshape(2, 3)
    others = (np.asfortranarray(table), table.astype(">f4"), np.repeat(table, 2, axis=0)[::2])
    assert {digest({}, {"x": other}) for other in others} == {digest({}, {"x": table})}
    assert digest(VALUES, dict(reversed(ARRAYS.items()))) == digest(VALUES, ARRAYS)


def test_arrays_are_read_as_they_were_written(tmp_path: Path) -> None:
    arrays = {**ARRAYS, "listing.categories.0": np.empty((0, 3), np.float32), "scalar": np.array(2.5)}
    write_arrays(tmp_path / "new" / "arrays.npz", arrays)
    read = read_arrays(tmp_path / "new" / "arrays.npz")
    assert list(read) == list(arrays)
    assert digest({}, read) == digest({}, arrays)
