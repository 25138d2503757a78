"""Datasets: heads, references, manifests and the description."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engines.columns import Keywords
from engines.filters import Eq
from harness.data.catalogue import list_datasets, load_dataset, split_reference
from harness.data.dataset import Attribute, Dataset
from harness.data.describe import describe
from harness.data.manifest import SyntheticManifest, read_manifest
from harness.errors import ConfigurationError

DATASETS = Path(__file__).parents[3] / "datasets"


def make(rows: int = 6, queries: int = 3) -> Dataset:
    vectors = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    return Dataset(
        name="made",
        metric="l2",
        vectors=vectors,
        queries=vectors[:queries],
        fingerprint="ab12",
        attributes=(Attribute("brand", "keyword", "real"), Attribute("title", "text", "real")),
        columns={
            "brand": Keywords.encode([f"b{i % 2}" for i in range(rows)]),
            "title": Keywords.encode([f"t{i}" for i in range(rows)]),
        },
        filters={"own": tuple(Eq("brand", "b0") for _ in range(queries))},
        ids=np.array([f"id{i}" for i in range(rows)], dtype=object),
    )


def test_head_cuts_every_part() -> None:
    dataset = make()
    head = dataset.head(4, 2)
    assert (len(head.vectors), len(head.queries), len(head.filters["own"])) == (4, 2, 2)
    assert [len(column) for column in head.columns.values()] == [4, 4]
    assert head.ids is not None and head.ids.tolist() == ["id0", "id1", "id2", "id3"]
    assert np.shares_memory(head.vectors, dataset.vectors)  # nothing is copied


def test_head_of_everything_is_the_dataset() -> None:
    dataset = make()
    assert dataset.head(None, None) is dataset
    assert dataset.head(6, 3) is dataset


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 3))
def test_the_fingerprint_of_a_head_depends_on_its_content_alone(one: int, other: int, queries: int) -> None:
    rows = min(one, other)
    at_once = make().head(rows, queries)
    in_steps = make().head(max(one, other), None).head(rows, queries)
    assert in_steps.fingerprint == at_once.fingerprint
    assert (at_once.fingerprint == make().fingerprint) == (rows == 6 and queries == 3)


def test_head_names_both_numbers_of_every_excess() -> None:
    with pytest.raises(ConfigurationError) as caught:
        make().head(7, 4)
    assert [p.split(";")[0] for p in caught.value.problems] == [
        "rows: 7 asked for, but dataset 'made' has 6",
        "queries: 4 asked for, but dataset 'made' has 3",
    ]


def test_the_schema_leaves_text_out() -> None:
    assert [field.name for field in make().schema.fields] == ["brand"]


def test_the_description_shows_what_was_understood() -> None:
    dataset = make()
    dataset.vectors[5] = dataset.vectors[0]
    text = describe(dataset)
    for part in (
        "made: 6 items x 2 dimensions (float32), l2, 3 queries",
        "1 vectors repeat an earlier one",
        "not unit-normalised",
        "b0 50.0%, b1 50.0%",
        "title  text",
        "lets through 50.000% on average (50.000% to 50.000%)",
        "'id0' ... 'id5'",
        "ab12",
    ):
        assert part in text


def test_the_description_keeps_a_line_a_column() -> None:
    vectors = np.eye(3, dtype=np.float32)
    words = Keywords(np.zeros(3, np.int32), np.array(["two\nlines\tand a tab"], object))
    columns = {"a\nb": words}
    text = describe(
        Dataset("unit", "l2", vectors, vectors, "f", (Attribute("a\nb", "keyword", "real"),), columns)
    )
    assert "  a\\nb  keyword  real  1 values  two\\nlines\\tand a tab 100.0%" in text.splitlines()


def test_the_description_recognises_unit_vectors_and_negative_zero() -> None:
    vectors = np.array([[1, 0], [1, -0.0], [0, 1]], dtype=np.float32)
    text = describe(Dataset("unit", "cosine", vectors, vectors, "f"))
    assert "(unit-normalised)" in text
    assert "1 vectors repeat an earlier one" in text
    assert "columns      none" in text


@pytest.mark.parametrize(
    ("ref", "where", "changes"),
    [
        ("synthetic", "synthetic", {}),
        ("synthetic:rows=1_000,metric=cosine", "synthetic", {"rows": 1000, "metric": "cosine"}),
        (
            "synthetic:selectivities=0.5;0.1,correlation=-1.0",
            "synthetic",
            {"selectivities": [0.5, 0.1], "correlation": -1.0},
        ),
        ("synthetic:selectivities=0.5", "synthetic", {"selectivities": 0.5}),
        ("C:/data/x.parquet", "C:/data/x.parquet", {}),
        ("a:b.parquet:metric=l2", "a:b.parquet", {"metric": "l2"}),
        ("d:index.apt=http://a:80/d,seed=2", "d", {"index.apt": "http://a:80/d", "seed": 2}),
    ],
)
def test_references_carry_parameters(ref: str, where: str, changes: dict[str, object]) -> None:
    assert split_reference(ref) == (where, changes)


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        (
            "fashion-mnits",
            ["'fashion-mnits' is neither known (did you mean 'fashion-mnist'? known: debian-packages, "],
        ),
        ("synthetic:rows=", ["must read key=value"]),
        ("synthetic:rows=1,=2", ["must read key=value"]),
        ("synthetic:rows=1,dim=2, rows =3", ["key 'rows' occurs twice, remove one"]),
        (
            "synthetic:rows=0,dim=x",
            ["rows must be greater than 0, got 0", "dim must be a valid integer", "got 'x'"],
        ),
        (
            "synthetic:metric=jaccard",
            ["metric must be l2 (euclidean), ip (dot, inner_product) or cosine (angular), got 'jaccard'"],
        ),
        (
            "synthetic:row=5,kind=listings",
            ["row is not a parameter (did you mean 'rows'? known: clusters,", "kind is not a parameter"],
        ),
        ("synthetic:selectivities=0.5;2", ["selectivities[1]", "got 2"]),
        ("fashion-mnist:listings.correlation=3", ["listings.correlation", "got 3"]),
    ],
)
def test_bad_references_are_configuration_errors(ref: str, told: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_dataset(ref, cache=tmp_path)
    for part in told:
        assert part in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_overrides_win_over_the_reference(tmp_path: Path) -> None:
    dataset = load_dataset("synthetic:rows=50,dim=4,queries=5", cache=tmp_path, overrides={"rows": 60})
    assert dataset.vectors.shape == (60, 4)


def test_a_manifest_of_ones_own_is_a_dataset(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text("kind: synthetic\nrows: 30\ndim: 3\nqueries: 2\n")
    dataset = load_dataset(str(path), cache=tmp_path / "cache")
    assert (dataset.name, dataset.vectors.shape) == ("small", (30, 3))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "metric: l2\n",
            "kind must be synthetic, listings or packages, got None; for a dataset.yaml beside your own data",
        ),
        ("kind: [\n", "is not YAML"),
        ("kind: []\n", "kind must be synthetic, listings or packages, got []"),
        ("- kind\n", "must hold keys"),
        ("kind: synthetic\nrow: 3\n", "row is not a known key"),
    ],
)
def test_bad_manifests_are_configuration_errors(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"bad\.yaml") as caught:
        load_dataset(str(path), cache=tmp_path)
    assert told in str(caught.value)


def test_every_manifest_is_listed() -> None:
    names = [name for name, _ in list_datasets()]
    assert names == sorted(path.stem for path in DATASETS.glob("*.yaml"))
    assert all(len(description) > 20 for _, description in list_datasets())


def test_the_synthetic_manifest_shows_every_parameter() -> None:
    # A user copies the file to change it: what the code knows must stand there.
    written = yaml.safe_load((DATASETS / "synthetic.yaml").read_text())
    assert set(written) == set(SyntheticManifest.model_fields)
    assert isinstance(read_manifest(DATASETS / "synthetic.yaml"), SyntheticManifest)
