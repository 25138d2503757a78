"""Listings: the measured frequencies, the dial of correlation, and the real fashion-mnist where it can be had."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import yaml

from engines.columns import Keywords
from engines.filters import And, Eq, Range, matches
from harness.data.catalogue import load_dataset
from harness.data.dataset import Dataset
from harness.data.manifest import read_manifest
from harness.data.queries.workload import Workload, selectivity
from harness.data.shipped import sources
from harness.data.shipped.images import read_idx
from harness.data.shipped.listings import KINDS, brand_names, generate, visual_clusters
from harness.data.shipped.listings_manifest import Listings, ListingsManifest
from harness.errors import ConfigurationError, DatasetError

ROOT = Path(__file__).parents[4]
MANIFEST = ROOT / "datasets" / "fashion-mnist.yaml"


def listings(**changes: object) -> Listings:
    manifest = read_manifest(MANIFEST)
    assert isinstance(manifest, ListingsManifest)
    return Listings.model_validate(manifest.listings.model_dump() | changes)


def shares(column: object) -> dict[str, float]:
    assert isinstance(column, Keywords)
    counts = np.bincount(column.codes, minlength=len(column.vocabulary)) / len(column)
    return dict(zip(column.vocabulary.tolist(), counts.tolist(), strict=True))


@pytest.fixture(scope="module")
def made() -> dict[str, object]:
    rng = np.random.default_rng(0)
    return dict(generate(listings(), rng.integers(10, size=70_000), rng.integers(32, size=70_000)))


def test_the_columns_are_the_declared_ones(made: dict[str, object]) -> None:
    assert list(made) == list(KINDS)


def test_brands_fall_as_measured(made: dict[str, object]) -> None:
    frequency = sorted(shares(made["brand"]).values(), reverse=True)
    assert len(frequency) == 1072
    assert sum(frequency[:10]) == pytest.approx(0.20, abs=0.02)
    ranks = np.arange(20, 500)
    slope = np.polyfit(np.log(ranks), np.log(np.array(frequency)[ranks - 1]), 1)[0]
    assert slope == pytest.approx(-0.90, abs=0.1)


def test_conditions_occur_as_measured(made: dict[str, object]) -> None:
    measured = {
        "very good": 0.462,
        "never worn": 0.326,
        "good": 0.115,
        "never worn with tag": 0.079,
        "fair": 0.018,
    }
    assert shares(made["condition"]) == pytest.approx(measured, abs=0.01)


def test_sizes_go_with_the_garment(made: dict[str, object]) -> None:
    category, size = made["category"], made["size"]
    assert isinstance(category, Keywords) and isinstance(size, Keywords)
    names = category.vocabulary[category.codes]
    shoes = shares(size[np.isin(names, ["Sandal", "Sneaker", "Ankle boot"])])
    assert {word for word, share in shoes.items() if share} == {str(number) for number in range(36, 43)}
    assert max(shoes, key=lambda word: shoes[word]) == "38"
    assert shares(size[names == "Bag"])["one size"] == 1
    dresses = shares(size[names == "Dress"])
    for word, share in {"S": 0.23, "M": 0.16, "XS": 0.12, "L": 0.07}.items():
        assert dresses[word] == pytest.approx(share, abs=0.02)


def test_prices_are_log_normal_as_measured() -> None:
    rng = np.random.default_rng(0)
    labels, clusters = rng.integers(10, size=50_000), rng.integers(32, size=50_000)
    for luxury_share, mean, deviation in ((0.0, 3.31, 0.55), (1.0, 5.53, 0.94)):
        spec = listings(brands={"count": 50, "exponent": 0.9, "luxury_share": luxury_share})
        logs = np.log(generate(spec, labels, clusters)["price"])  # type: ignore[arg-type]
        assert logs.mean() == pytest.approx(mean, abs=0.02)
        assert logs.std() == pytest.approx(deviation, abs=0.02)


def explained(groups: np.ndarray, values: np.ndarray) -> float:
    """The share of the variance of `values` that the group means explain (eta squared)."""
    means = np.array([values[groups == group].mean() for group in range(groups.max() + 1)])
    return float(means[groups].var() / values.var())


def test_the_dial_ties_price_and_brand_to_the_cluster_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    labels, clusters = rng.integers(10, size=20_000), rng.integers(32, size=20_000)
    by_dial = {}
    for dial in (0.0, 0.5, 1.0):
        columns = generate(listings(correlation=dial, visual_clusters=32), labels, clusters)
        brand = columns["brand"]
        assert isinstance(brand, Keywords)
        price = explained(clusters, np.log(columns["price"]))  # type: ignore[arg-type]
        top = np.argmax(np.bincount(brand.codes))
        # The most frequent brand: how unevenly it is spread over the clusters (coefficient of variation).
        spread = np.bincount(clusters[brand.codes == top], minlength=32)
        by_dial[dial] = price, spread.std() / spread.mean()
        assert explained(clusters, columns["listed_at"]) < 0.01  # type: ignore[arg-type]
    assert by_dial[0.0][0] < 0.01 and 0.1 < by_dial[0.5][0] < by_dial[1.0][0]
    assert by_dial[0.0][1] < 0.5 and 1.0 < by_dial[0.5][1] < by_dial[1.0][1]


def test_brand_names_are_distinct_and_settled_by_the_seed() -> None:
    names = brand_names(1072, np.random.default_rng(1))
    assert len(set(names)) == 1072
    assert names == brand_names(1072, np.random.default_rng(1))


def test_visual_clusters_find_what_looks_alike() -> None:
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 200, size=(4, 28, 28))
    which = rng.integers(4, size=600)
    images = (patterns[which] + rng.integers(0, 20, size=(600, 28, 28))).astype(np.uint8)
    clusters = visual_clusters(images, listings(visual_clusters=12))
    for cluster in np.unique(clusters):
        assert len(set(which[clusters == cluster].tolist())) == 1


# --- a small dataset in the same format, through the whole loader


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def small(folder: Path, **changes: object) -> Path:
    """A manifest beside a mirror with 300 + 50 tiny images."""
    rng = np.random.default_rng(0)
    data = yaml.safe_load(MANIFEST.read_text())
    contents = {
        "train_images": idx(rng.integers(0, 256, size=(300, 8, 8)).astype(np.uint8)),
        "train_labels": idx(rng.integers(0, 10, size=300).astype(np.uint8)),
        "test_images": idx(rng.integers(0, 256, size=(50, 8, 8)).astype(np.uint8)),
        "test_labels": idx(rng.integers(0, 10, size=50).astype(np.uint8)),
    }
    folder.mkdir(exist_ok=True)
    for key, content in contents.items():
        data["files"][key] = {"name": f"{key}.gz", "sha256": hashlib.sha256(content).hexdigest()}
        (folder / f"{key}.gz").write_bytes(gzip.compress(content))
    data |= {"name": "small", "sources": {}} | changes
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return path


def load_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> Dataset:
    path = small(tmp_path / "mirror", **changes)
    monkeypatch.setenv(sources.MIRROR, str(path.parent))
    return load_dataset(str(path), cache=tmp_path / "cache")


def test_images_become_vectors_and_labels_categories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = load_small(tmp_path, monkeypatch)
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, size=(300, 64)), rng.integers(0, 10, size=300)
    np.testing.assert_array_equal(dataset.vectors, images.astype(np.float32))
    category = dataset.columns["category"]
    assert isinstance(category, Keywords)
    garments = listings().garments
    assert category.decode() == [garments[label].category for label in labels]
    assert {a.name for a in dataset.attributes if a.origin == "real"} == {"category"}
    assert "Correlation with the cluster: 0.6" in dataset.description


def test_the_shopper_asks_for_the_querys_own_category_size_and_price_band(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = load_small(tmp_path, monkeypatch)
    bands = [(None, 15), (15, 25), (25, 40), (40, 75), (75, 150), (150, None)]
    for same, shopper in zip(dataset.filters["same-category"], dataset.filters["shopper"], strict=True):
        assert isinstance(same, Eq) and isinstance(shopper, And)
        category, size, price = shopper.filters
        assert category == same
        assert isinstance(size, Eq) and size.field == "size"
        assert isinstance(price, Range) and (price.gte, price.lt) in bands


def test_the_manifest_decides_the_filter_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = load_small(tmp_path, monkeypatch, filters={"brand": {"brand": "same"}})
    assert list(dataset.filters) == ["brand"]
    assert all(isinstance(where, Eq) and where.field == "brand" for where in dataset.filters["brand"])


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ({"a": {"colr": "same"}}, "filters.a.colr: unknown or text column"),
        ({"a": {"title": "same"}}, "filters.a.title: unknown or text column"),
        ({"a": {"brand": {"band": [1]}}}, "filters.a.brand: a band needs a number"),
        ({"a": {"price": {"band": [2, 1]}}}, "band edges must ascend"),
    ],
)
def test_bad_filter_sets_are_named(
    filters: dict[str, object], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_small(tmp_path, monkeypatch, filters=filters)
    assert told in str(caught.value)


def test_a_label_without_garment_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small(tmp_path / "mirror")
    data = yaml.safe_load(path.read_text())
    data["listings"]["garments"] = data["listings"]["garments"][:4]
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    monkeypatch.setenv(sources.MIRROR, str(path.parent))
    with pytest.raises(ConfigurationError, match=r"garments has 4 entries.*labelled up to 9"):
        load_dataset(str(path), cache=tmp_path / "cache")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x00\x08\x01\x00\x00\x00\x05abc", b"\x00\x00\x0d\x01\x00\x00\x00\x00", b"PK\x03\x04"],
)
def test_what_is_no_idx_file_is_refused(content: bytes) -> None:
    with pytest.raises(DatasetError, match="IDX"):
        read_idx("x", content)


# --- the real one


@pytest.fixture(scope="module")
def fashion() -> Dataset:
    cache = Path(os.environ.get("BAKEOFF_CACHE", ROOT / ".cache")) / "datasets"
    try:
        return load_dataset("fashion-mnist", cache=cache)
    except DatasetError as error:
        pytest.skip(f"fashion-mnist cannot be had here: {error}")


def test_fashion_mnist_is_whole_and_the_same_everywhere(fashion: Dataset) -> None:
    assert fashion.vectors.shape == (60_000, 784) and fashion.queries.shape == (10_000, 784)
    assert (fashion.vectors.min(), fashion.vectors.max()) == (0, 255)
    assert shares(fashion.columns["category"]) == pytest.approx(
        dict.fromkeys(fashion.columns["category"].vocabulary, 0.1)
    )  # type: ignore[union-attr]
    assert fashion.fingerprint == "283a8b00f3aafca2b82c7fa31d59c8e17e7fa5171cac65be71eb24fba3ee12c6"


def test_the_slice_of_the_quick_scenario_is_representative(fashion: Dataset) -> None:
    head = fashion.head(20_000, 2_000)
    for name in ("category", "condition", "size"):
        assert shares(head.columns[name]) == pytest.approx(shares(fashion.columns[name]), abs=0.012)


def test_the_filter_sets_of_fashion_mnist_span_two_selectivities(fashion: Dataset) -> None:
    measured = {
        name: selectivity(Workload(name, fashion.queries, where, 10), fashion)
        for name, where in fashion.filters.items()
    }
    assert measured["same-category"].mean == pytest.approx(0.1, abs=0.001)
    assert 0.002 < measured["shopper"].mean < 0.02
    assert measured["shopper"].distinct < 1000  # so that the oracle can group by filter


def test_near_images_share_the_brand_more_often_than_chance(fashion: Dataset) -> None:
    brand = fashion.columns["brand"]
    assert isinstance(brand, Keywords)
    hits, chance = [], []
    for row in range(50):
        near = np.argsort(((fashion.vectors[:20_000] - fashion.vectors[row]) ** 2).sum(axis=1))[1:51]
        same = matches(Eq("brand", brand.vocabulary[brand.codes[row]]), {"brand": brand}, len(brand))
        hits.append(same[near].mean())
        chance.append(same.mean())
    assert np.mean(hits) > 2 * np.mean(chance)
