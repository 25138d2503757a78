"""Filters drawn from tags, and from columns whose values may be missing."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest

from engines.columns import Column, Keywords, Nullable, Tags
from engines.filters import Eq, matches
from harness.data.dataset import Attribute, Dataset
from harness.data.queries.workload import Workload, build_workload, selectivity
from harness.errors import ConfigurationError
from harness.scenario.specs import FilterSpec

ROWS, QUERIES = 2000, 300
RNG = np.random.default_rng(3)
HAS_STOCK = RNG.random(ROWS) < 0.6
COLUMNS: dict[str, Column] = {
    # Of two in three items; "a" in half of those, "b" in a quarter, and so on: an item may have several.
    "tags": Tags.encode(
        [
            [word for word, one in zip("abcdef", row, strict=True) if one]
            for row in RNG.random((ROWS, 6)) < np.array([0.3, 0.15, 0.08, 0.04, 0.02, 0.01])
        ]
    ),
    "size": Keywords.encode([None if number % 2 else f"s{number % 8}" for number in range(ROWS)]),
    "stock": Nullable(np.where(HAS_STOCK, RNG.integers(1000, size=ROWS), 0), HAS_STOCK),
    "none": Keywords.encode([None] * ROWS),
}
KINDS = {"tags": "tags", "size": "keyword", "stock": "integer", "none": "keyword"}


def dataset(*names: str) -> Dataset:
    vectors = RNG.random((ROWS, 4), dtype=np.float32)
    attributes = tuple(Attribute(name, KINDS[name], "real", optional=True) for name in names)  # type: ignore[arg-type]
    return Dataset(
        "made", "l2", vectors, vectors[:QUERIES], "f", attributes, {name: COLUMNS[name] for name in names}
    )


def built(data: Dataset, **spec: object) -> Workload:
    (workload,) = build_workload(FilterSpec(name="w", **spec), data, k=10, seed=0)  # type: ignore[arg-type]
    return workload


@pytest.mark.parametrize("name", ["tags", "size"])
def test_values_are_drawn_as_often_as_items_have_them(name: str) -> None:
    drawn = Counter(
        where.value for where in built(dataset(name), keyword=name).filters if isinstance(where, Eq)
    )
    assert drawn.total() == QUERIES
    assert None not in drawn
    if name == "tags":
        assert drawn["a"] > drawn["c"] > drawn["f"]


@pytest.mark.parametrize("name", ["tags", "stock"])
@pytest.mark.parametrize("share", [0.3, 0.05])
def test_the_share_asked_for_is_of_all_items(name: str, share: float) -> None:
    data = dataset(name)
    workload = built(data, selectivity=share, column=name)
    assert selectivity(workload, data).mean == pytest.approx(share, rel=0.35)
    for where in set(workload.filters):
        assert not matches(where, data.columns, ROWS)[0 if name == "tags" else ~HAS_STOCK].all()


def test_what_no_item_has_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"filters\[w\].keyword: no item has a value of 'none'"):
        built(dataset("none"), keyword="none")
    # More than have a value cannot be let through by a range.
    assert (
        len(build_workload(FilterSpec(name="w", selectivity=0.9, column="stock"), dataset("stock"), 10, 0))
        == 0
    )
    assert (
        len(build_workload(FilterSpec(name="w", selectivity=0.5, column="none"), dataset("none"), 10, 0)) == 0
    )


def drawing_s(words: int, items: int) -> float:
    """How long filters of tags take to be drawn, of as many words for items with three each; the best of three."""
    held = np.random.default_rng(0).integers(words, size=(items, 3))
    vectors = np.zeros((items, 2), np.float32)
    tags = Tags.encode([[f"w{word}" for word in row] for row in held.tolist()])
    attributes = (Attribute("tags", "tags", "real", optional=True),)
    data = Dataset("made", "l2", vectors, vectors[:1], "f", attributes, {"tags": tags})
    took = []
    for _ in range(3):
        start = time.process_time()
        built(data, selectivity=0.5, column="tags")
        took.append(time.process_time() - start)
    return min(took)


def test_many_words_of_many_items_are_drawn_in_time_that_grows_as_they_do() -> None:
    # Of eight times both: 64 times as long where every word is compared with every item that is covered.
    assert drawing_s(800, 16_000) < 24 * drawing_s(100, 2_000)
