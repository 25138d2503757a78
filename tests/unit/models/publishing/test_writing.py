"""A dataset written by a model: read by the harness as it is, whole or not there, the same for the same content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.filters import matches
from harness.data.catalogue import load_dataset
from harness.data.dataset import Dataset
from harness.data.identity import ModelIdentity
from harness.errors import ConfigurationError, DatasetError
from models.publishing import writing
from models.publishing.options import OwnFilters
from models.publishing.taken import TAKEN
from models.publishing.users import USERS
from models.publishing.writing import sampled
from tests.unit.models.publishing.shop import IDENTITY, Shop, among, shop


def load(folder: Path) -> Dataset:
    return load_dataset(str(folder), cache=folder.parent / "cache")


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def problems(whole: Shop, folder: Path, **options: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        whole.write(folder, **options)
    assert not list(folder.parent.glob(".*"))
    return caught.value.problems


def test_the_harness_reads_what_was_written(tmp_path: Path) -> None:
    whole = shop()
    published = whole.write(tmp_path / "data")
    dataset = load(tmp_path / "data")
    assert dataset.model == IDENTITY
    assert dataset.metric == "cosine"
    assert dataset.name == "tower-3"
    np.testing.assert_array_equal(dataset.vectors, whole.vectors)
    np.testing.assert_array_equal(dataset.queries, whole.queries)
    assert dataset.ids is not None and dataset.ids.tolist() == whole.items.ids.tolist()
    kinds = {attribute.name: attribute.kind for attribute in dataset.attributes}
    assert kinds == {
        "size": "keyword",
        "kind": "keyword",
        "price": "float",
        "listed_ms": "integer",
        "title": "text",
    }
    words = [word or "unknown" for word in whole.items.categories["kind"].decode()]
    assert dataset.columns["kind"].decode() == words  # type: ignore[union-attr]
    prices = np.asarray(dataset.columns["price"])
    np.testing.assert_array_equal(prices, np.nan_to_num(whole.items.numbers["price"], nan=-1))
    assert (published.items, published.left_out, published.queries) == (60, 0, 12)


def test_each_query_has_the_filter_of_its_user(tmp_path: Path) -> None:
    published = shop().write(tmp_path / "data")
    dataset = load(tmp_path / "data")
    (filters,) = dataset.filters.values()
    assert filters == published.filters.filters
    assert filters[0] is None  # took nothing before
    assert published.filters.filtered == 11
    assert published.targets == 12
    assert 1 <= published.let_through < 12  # that of user 0, who has no filter, among them
    columns = {name: dataset.columns[name] for name in dataset.filterable}
    assert all(matches(where, columns, 60).any() for where in filters)


def test_without_columns_there_is_no_filter_set(tmp_path: Path) -> None:
    shop().write(tmp_path / "data", filters=OwnFilters())
    assert load(tmp_path / "data").filters == {}


def test_only_what_may_be_answered_is_written(tmp_path: Path) -> None:
    kept = np.array([3, 9, 20, 59])
    whole = among(shop(), kept)
    published = whole.write(tmp_path / "data", metric="ip", name="mine", description="d")
    dataset = load(tmp_path / "data")
    np.testing.assert_array_equal(dataset.vectors, whole.vectors[kept])
    assert dataset.ids is not None and dataset.ids.tolist() == ["i3", "i9", "i20", "i59"]
    assert (published.items, published.left_out) == (4, 56)
    assert (dataset.metric, dataset.name, dataset.description) == (
        "ip",
        "mine",
        "d. not used: taken.npz, users.parquet.",
    )


def test_filters_match_what_is_written_and_not_what_is_left_out(tmp_path: Path) -> None:
    published = among(shop(), np.array([3, 9])).write(tmp_path / "data")  # both of size S
    dataset = load(tmp_path / "data")
    columns = {name: dataset.columns[name] for name in dataset.filterable}
    (filters,) = dataset.filters.values()
    assert all(matches(where, columns, 2).any() for where in filters)
    assert published.filters.dropped > 0
    assert sum(where is not None for where in filters) == published.filters.filtered > 0


def test_a_sample_of_users_is_drawn_by_its_seed(tmp_path: Path) -> None:
    whole = shop()
    published = whole.write(tmp_path / "data", queries=5, seed=1)
    rows = sampled(12, 5, 1)
    assert rows.tolist() == sorted(set(rows.tolist()))
    np.testing.assert_array_equal(load(tmp_path / "data").queries, whole.queries[rows])
    assert (published.queries, published.cases) == (5, 12)
    assert sampled(12, 5, 2).tolist() != rows.tolist()
    assert sampled(5, 5, 1).tolist() == [0, 1, 2, 3, 4]


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        shop().write(tmp_path / name)
    shop().write(tmp_path / "c", identity=replace(IDENTITY, version="4"))
    first = contents(tmp_path / "a")
    assert contents(tmp_path / "b") == first
    differing = {name for name, held in contents(tmp_path / "c").items() if held != first[name]}
    assert differing == {"dataset.yaml"}
    assert load(tmp_path / "c").fingerprint != load(tmp_path / "a").fingerprint


def test_a_dataset_written_before_is_replaced_and_anything_else_is_left(tmp_path: Path) -> None:
    shop().write(tmp_path / "data")
    shop(users=4).write(tmp_path / "data", filters=OwnFilters())
    assert set(contents(tmp_path / "data")) == {
        "vectors.npy",
        "queries.npy",
        "attributes.parquet",
        "dataset.yaml",
        TAKEN,
        USERS,
    }
    (tmp_path / "data" / "thesis.tex").write_text("mine")
    (told,) = problems(shop(), tmp_path / "data")
    assert "exists and is no dataset of a model" in told
    assert (tmp_path / "data" / "thesis.tex").read_text() == "mine"


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop().write(tmp_path / "data")
    before = contents(tmp_path / "data")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_write_tables", full)
    with pytest.raises(DatasetError, match="free some space"):
        shop(seed=9).write(tmp_path / "data")
    assert contents(tmp_path / "data") == before
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    whole = shop()
    vectors, queries = whole.vectors.copy(), whole.queries.copy()
    vectors[4, 2], queries[7] = np.nan, 0
    told = problems(
        replace(whole, vectors=vectors, queries=queries),
        tmp_path / "data",
        filters=OwnFilters(equal=("colour",)),
    )
    assert len(told) == 3
    assert "'colour' is no category column" in told[0]
    assert "vectors: row 4 column 2 is nan" in told[1]
    assert "queries: row 7 is a zero vector" in told[2]
    replace(whole, queries=queries).write(tmp_path / "ip", metric="ip")  # a zero query is one under ip


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"vectors": np.ones((59, 6), np.float32)}, r"float32\[59, 6\], must be float32\[60, dimensions\]"),
        ({"vectors": np.ones((60, 6))}, r"float64\[60, 6\], must be float32"),
        ({"vectors": np.ones((60, 5), np.float32)}, "encode both with one model"),
    ],
)
def test_vectors_of_another_shape_are_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        replace(shop(), **change).write(tmp_path / "data")


def test_nothing_to_write_is_refused(tmp_path: Path) -> None:
    assert "there is no listing to write" in problems(among(shop(), np.empty(0, int)), tmp_path / "data")[0]
    assert "there is no case to write" in problems(shop(users=0), tmp_path / "data")[0]


@pytest.mark.parametrize("wrong", [{"name": "a b"}, {"version": ""}, {"hash": "xyz"}])
def test_an_identity_that_no_dataset_takes_is_refused(tmp_path: Path, wrong: dict[str, str]) -> None:
    parts = {"name": "tower", "version": "1", "hash": "0" * 12} | wrong
    with pytest.raises(ConfigurationError, match=r"dataset\.yaml: "):
        shop().write(tmp_path / "data", identity=ModelIdentity(**parts))
