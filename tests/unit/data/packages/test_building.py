"""A package index as a dataset: what is real stays as it is, queries are held out and ask as a person would."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from engines.columns import decoded
from engines.filters import And, Eq, Exists, Range, matches
from harness.data.catalogue import list_datasets, load_dataset
from harness.data.dataset import Dataset
from harness.data.shipped import sources
from harness.data.shipped.packages.building import build_packages
from harness.data.shipped.packages.filters import own_filters
from harness.data.shipped.packages.reading import Package, read_packages
from harness.data.stored.store import open_dataset
from harness.data.texts.wordllama import token_vectors
from harness.errors import ConfigurationError, DatasetError
from harness.progress import silent
from tests.unit.data.packages.example_index import PACKAGES, manifest, many, put

pytest.importorskip("wordllama", reason="wordllama is not installed")


ROOT = Path(__file__).parents[4]


def built(monkeypatch: pytest.MonkeyPatch, folder: Path, packages: str, **changes: object) -> Dataset:
    """The dataset of these packages, from a mirror below `folder`."""
    monkeypatch.setenv(sources.MIRROR, str(folder / "mirror"))
    put(folder / "mirror", packages)
    (folder / "data").mkdir(parents=True)
    build_packages(folder / "data", manifest(**changes), folder / "cache", silent)
    return open_dataset(folder / "data")


def test_items_are_the_packages_that_are_no_queries_and_keep_their_gaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = built(monkeypatch, tmp_path, many(60), queries=20)
    assert dataset.ids is not None
    packages = {one.name: one for one in read_packages(many(60).encode(), b"", "main", "amd64")}
    assert (len(dataset.vectors), len(dataset.queries), dataset.metric) == (40, 20, "cosine")
    items = [packages[name] for name in dataset.ids]
    columns = {name: decoded(column) for name, column in dataset.columns.items()}
    assert columns["section"] == [one.section for one in items]
    assert columns["installed_size"] == [one.installed_size for one in items]
    assert [set(tags) for tags in columns["tags"]] == [set(one.tags) for one in items]
    assert columns["title"][0] == f"{items[0].name}: {items[0].summary}"
    assert None in columns["installed_size"] and [] in columns["tags"]
    # Every package is either: those that are no items are the queries, by their vectors.
    asked = [one for name, one in packages.items() if name not in dataset.ids]
    expected, _ = token_vectors().means([one.text for one in asked])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    order = [np.lexsort(np.round(rows, 5).T) for rows in (expected, dataset.queries)]
    np.testing.assert_allclose(dataset.queries[order[1]], expected[order[0]], atol=1e-5)


def test_vectors_are_those_of_the_model_that_it_names_and_of_unit_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = built(monkeypatch, tmp_path, many(60), queries=20)
    np.testing.assert_allclose(np.linalg.norm(dataset.vectors, axis=1), 1, rtol=1e-5)
    assert dataset.model == token_vectors().identity
    assert dataset.model.name == "wordllama"
    assert "Debian 12.99 of Sat, 01 Aug 2026" in dataset.description


def test_another_release_is_another_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"one": many(60), "same": many(60), "other": many(60).replace("edition 59", "edition sixty")}
    one, same, other = (built(monkeypatch, tmp_path / name, text) for name, text in texts.items())
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert one.description == same.description != other.description  # the checksums


def test_a_query_asks_for_its_own_section_one_of_its_tags_and_sizes_below() -> None:
    def package(section: str | None, size: int | None, *tags: str) -> Package:
        return Package("p", "1", section, None, size, tags, "", "")

    queries = [
        package("games", 99, "a::b"),
        package("games", 100, "a::b"),
        package("libs", 5000),
        package(None, None),
    ]
    games, libs, tag = Eq("section", "games"), Eq("section", "libs"), Eq("tags", "a::b")
    below = [Range("installed_size", lt=100), Range("installed_size", lt=1000)]
    assert own_filters(manifest(), queries) == {
        "section": (games, games, libs, None),
        "tag": (tag, tag, libs, None),  # without tags by its section
        "size": (below[0], below[1], libs, None),
        "person": (And((games, tag, below[0])), And((games, tag, below[1])), libs, None),
    }


def test_the_tag_is_drawn_among_all_of_a_query_and_is_the_same_in_every_set() -> None:
    queries = [Package("p", "1", "games", None, 5, ("a", "b", "c"), "", "")] * 300
    sets = own_filters(manifest(), queries)
    drawn = [where.value for where in sets["tag"] if isinstance(where, Eq)]
    assert min(drawn.count(tag) for tag in "abc") > 60
    assert [where.filters[1] for where in sets["person"] if isinstance(where, And)] == list(sets["tag"])
    assert own_filters(manifest(), queries) == sets
    assert own_filters(manifest(seed=2), queries) != sets


def test_more_queries_than_packages_are_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        ConfigurationError, match=r"queries: 3 of 3 packages leave no items; ask for fewer than 3"
    ):
        built(monkeypatch, tmp_path, PACKAGES, queries=3)


def test_the_shipped_manifest_makes_a_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sources.MIRROR, str(put(tmp_path / "mirror", many(120))))
    dataset = load_dataset("debian-packages:queries=50", cache=tmp_path / "cache")
    assert set(dataset.filters) == {"section", "tag", "size", "person"}
    assert len(dataset.vectors) == 70
    for wheres in dataset.filters.values():
        found = [matches(where, dataset.columns, 70).mean() for where in wheres]
        assert 0 < np.mean(found) < 1
    assert "debian-packages" in dict(list_datasets())


# --- the real one


@pytest.fixture(scope="module")
def debian() -> Dataset:
    cache = Path(os.environ.get("BAKEOFF_CACHE", ROOT / ".cache")) / "datasets"
    try:
        return load_dataset("debian-packages", cache=cache)
    except DatasetError as error:
        pytest.skip(f"debian-packages cannot be had here: {error}")


def test_debians_packages_have_the_gaps_of_the_real_world(debian: Dataset) -> None:
    assert len(debian.vectors) == pytest.approx(61_400, rel=0.02)
    assert len(debian.queries) == 2_000
    missing = {
        name: 1 - matches(Exists(name), debian.columns, len(debian.vectors)).mean()
        for name in debian.filterable
    }
    assert missing["tags"] == pytest.approx(0.52, abs=0.03)
    assert 0 < missing["installed_size"] < 0.01
    assert missing["section"] < 0.001


def test_what_is_alike_lies_in_one_section(debian: Dataset) -> None:
    """The correlation of vectors and filters is real."""
    nearest = np.argpartition(-(debian.queries[:300] @ debian.vectors.T), 10, axis=1)[:, :10]
    columns = {"section": debian.columns["section"]}
    own = [matches(where, columns, len(debian.vectors)) for where in debian.filters["section"][:300]]
    near = np.mean([mask[rows].mean() for mask, rows in zip(own, nearest, strict=True)])
    anywhere = np.mean([mask.mean() for mask in own])
    assert near > 8 * anywhere
