"""What tasks share: every kind is listed on both sides, queries have one role each, items as they are now."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from engines.columns import Keywords
from harness.data.dataset import Attribute, Dataset
from harness.data.queries.roles import split_queries
from harness.machine.resources import rss_bytes
from harness.oracle.items import Items
from harness.results.metrics import TABLE
from harness.scenario.tasks import Task, TaskSpec
from harness.tasks.registry import TASKS


def kinds() -> dict[str, type[TaskSpec]]:
    union = get_args(Task)[0]
    return {get_args(kind.model_fields["task"].annotation)[0]: kind for kind in get_args(union)}


def test_every_kind_of_task_has_keys_a_measure_and_metrics() -> None:
    assert set(kinds()) == set(TASKS)
    assert {kind for known in TABLE for kind in known.tasks} == set(TASKS)


def test_a_task_of_one_cell_plans_it_and_no_further_ones() -> None:
    task = kinds()["index"](task="index", name="index")
    (cell,) = task.cells({"none": ["none"]}, [{}])
    assert (cell.task, cell.kind, cell.load) == ("index", "index", {})
    assert task.further_cells([]) == []


@pytest.mark.parametrize("count", [10, 11, 30, 999, 2000, 10_000])
def test_no_query_has_two_roles(count: int) -> None:
    roles = split_queries(count, seed=3)
    parts = [roles.checking, roles.warming, roles.measuring]
    assert all(len(part) for part in parts)
    assert sorted(np.concatenate(parts)) == list(range(count))
    assert len(roles.measuring) >= count / 2
    assert not roles.shared


def test_few_queries_serve_for_everything_and_it_is_said() -> None:
    roles = split_queries(9, seed=0)
    assert roles.shared
    assert list(roles.checking) == list(roles.warming) == list(roles.measuring) == list(range(9))


def test_the_same_seed_deals_the_same_queries() -> None:
    assert np.array_equal(split_queries(100, 5).measuring, split_queries(100, 5).measuring)
    assert not np.array_equal(split_queries(100, 5).measuring, split_queries(100, 6).measuring)
    assert len(split_queries(100, -1).measuring) == 70


def dataset(vectors: np.ndarray) -> Dataset:
    words = np.array(["a", "b"], dtype=object)
    return Dataset(
        "d",
        "l2",
        vectors,
        vectors[:1],
        "f",
        (Attribute("n", "integer", "real"), Attribute("w", "keyword", "real")),
        {"n": np.arange(len(vectors)), "w": Keywords(np.arange(len(vectors), dtype=np.int32) % 2, words)},
    )


@pytest.mark.parametrize("mapped", [False, True])
def test_writes_change_the_items_and_never_the_dataset(tmp_path: Path, mapped: bool) -> None:
    original = np.arange(12, dtype=np.float32).reshape(6, 2)
    np.save(tmp_path / "v.npy", original)
    vectors = np.load(tmp_path / "v.npy", mmap_mode="r") if mapped else original.copy()
    data = dataset(vectors)
    items = Items.of(data)
    assert items.version == 0
    assert items.vectors is data.vectors  # nothing is copied for those who only read
    items.replace(np.array([0]), np.array([5]))
    items.delete(np.array([1]))
    items.move(2, np.array([7.0, 7.0], dtype=np.float32))
    items.replace(np.array([3]), np.array([0]))  # a second write sees the first
    assert items.version == 4
    assert items.vectors[[0, 2, 3]].tolist() == [[10, 11], [7, 7], [10, 11]]
    assert items.columns["n"][:4].tolist() == [5, 1, 2, 5]  # type: ignore[union-attr]
    assert items.columns["w"].decode()[:4] == ["b", "b", "a", "b"]  # type: ignore[union-attr]
    assert items.alive.tolist() == [True, False, True, True, True, True]
    assert np.array_equal(data.vectors, original)
    assert data.columns["n"].tolist() == list(range(6))  # type: ignore[union-attr]
    assert np.array_equal(np.load(tmp_path / "v.npy"), original)
    assert items.batch(np.array([0])).attributes["n"].tolist() == [5]  # type: ignore[union-attr]


def test_a_large_mapped_matrix_is_changed_without_taking_its_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(8 * 2**20, dtype=np.float32).reshape(-1, 16))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    before = rss_bytes()
    items = Items(np.asarray(mapped)[:100_000], {}, np.ones(100_000, dtype=np.bool_))
    items.move(5, np.full(16, -1, dtype=np.float32))
    assert items.vectors[5, 0] == -1
    assert isinstance(items.vectors, np.memmap)
    assert rss_bytes() - before < 4 * 2**20
    assert mapped[5, 0] == np.load(tmp_path / "x.npy")[5, 0] == 80
    later = Items(mapped[3:9], {}, np.ones(6, dtype=np.bool_))  # does not begin with the file's first row
    later.move(0, np.full(16, -1, dtype=np.float32))
    assert (later.vectors[1:] == mapped[4:9]).all()
    assert mapped[3, 0] == 48
