"""Files of vectors that say which model made them, as items and as queries."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.data.catalogue import load_dataset
from harness.data.dataset import Dataset
from harness.data.identity import ModelIdentity
from harness.errors import ConfigurationError
from models.encoding.files.vector_file import write_vectors
from tests.unit.data.user_data import DIM, QUERIES, ROWS, VECTORS

FIRST = ModelIdentity("tower", "1", "0123456789abcdef" * 4)
SECOND = replace(FIRST, version="2", hash="fedcba9876543210" * 4)
UNIT = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
ASKED = -UNIT[:QUERIES]


def ids(rows: int) -> np.ndarray:
    return np.array([f"i{row}" for row in range(rows)], object)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_vectors(tmp_path / "listings.parquet", "listings", ("sku", ids(ROWS)), UNIT, identity=FIRST)
    for name, model in (("same", FIRST), ("other", SECOND)):
        write_vectors(tmp_path / f"{name}.parquet", "users", ("who", ids(QUERIES)), ASKED, identity=model)
    vectors = pa.FixedSizeListArray.from_arrays(ASKED.reshape(-1), DIM)
    pq.write_table(pa.table({"vector": vectors}), tmp_path / "plain.parquet")
    return tmp_path


def load(folder: Path, ref: str) -> Dataset:
    return load_dataset(f"{folder}/{ref}", cache=folder / "cache")


def refused(folder: Path, ref: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, ref)
    (problem,) = caught.value.problems
    return problem.replace(f"{folder}/", "")


def test_a_file_of_listings_brings_model_metric_and_ids(folder: Path) -> None:
    dataset = load(folder, "listings.parquet")
    assert (dataset.model, dataset.metric, dataset.attributes) == (FIRST, "cosine", ())
    assert dataset.schema.model == "tower@1#0123456789ab"
    assert dataset.ids is not None
    assert set(dataset.ids) < set(ids(ROWS))
    assert load(folder, "listings.parquet:metric=ip").metric == "ip"
    plain = load(folder, "plain.parquet:metric=ip,queries=1")
    assert plain.model is None
    assert plain.fingerprint != dataset.fingerprint


def test_vectors_of_users_are_queries_where_their_model_is_the_listings(folder: Path) -> None:
    dataset = load(folder, "listings.parquet:queries=same.parquet")
    np.testing.assert_array_equal(dataset.queries, ASKED)
    np.testing.assert_array_equal(dataset.vectors, UNIT)
    assert dataset.model == FIRST
    told = refused(folder, "listings.parquet:queries=other.parquet")
    assert told == (
        "other.parquet: names model tower@2#fedcba987654, but listings.parquet is of model tower@1#0123456789ab, and "
        "vectors of different models cannot be compared; encode both with one model"
    )


def test_other_queries_in_the_file_are_seen(folder: Path) -> None:
    load(folder, "listings.parquet:queries=same.parquet")
    (folder / "same.parquet").unlink()
    write_vectors(folder / "same.parquet", "users", ("who", ids(3)), UNIT[:3], identity=FIRST)
    np.testing.assert_array_equal(load(folder, "listings.parquet:queries=same.parquet").queries, UNIT[:3])


def test_vectors_of_a_model_that_is_not_named_are_not_compared_with_those_of_one_that_is(
    folder: Path,
) -> None:
    told = "does not say which model its vectors are of, but {} is of model tower@1#0123456789ab; encode both"
    problem = refused(folder, "listings.parquet:queries=plain.parquet")
    assert problem.startswith(f"plain.parquet: {told.format('listings.parquet')}")
    problem = refused(folder, "plain.parquet:queries=same.parquet,metric=ip")
    assert problem.startswith(f"plain.parquet: {told.format('same.parquet')}")
    (folder / "arrays").mkdir()
    np.save(folder / "arrays" / "vectors.npy", UNIT)
    problem = refused(folder, "arrays:queries=../same.parquet,metric=ip")
    assert problem.startswith(f"arrays: {told.format('arrays/../same.parquet')}")
    named = "model.name=tower,model.version='1',model.hash='0123456789ab'"  # cut short, but the same
    assert load(folder, f"arrays:queries=../same.parquet,metric=ip,{named}").model == FIRST
    assert load(folder, f"listings.parquet:queries=plain.parquet,{named}").model == FIRST


def test_a_manifest_that_names_another_model_is_refused(folder: Path) -> None:
    (folder / "listings.yaml").write_text("model: {name: tower, version: '2', hash: fedcba987654}\n")
    assert refused(folder, "listings.parquet").startswith(
        "listings.yaml: names model tower@2#fedcba987654, but listings.parquet is of model tower@1#0123456789ab"
    )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, "(all of it)"),
        ({"kind": "x"}, "(kind)"),
        ({"model": {"name": "a", "version": "1"}}, "(model.hash)"),
        ({"model": {"name": "a", "version": "1", "hash": "?"}, "of": "cats"}, "(of, model.hash)"),
    ],
)
def test_a_mark_that_cannot_be_understood_is_refused(
    folder: Path, changes: dict[str, object], problem: str
) -> None:
    path = folder / "listings.parquet"
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"bakeoff"]) | changes
    text = json.dumps(about) if changes else "{"
    pq.write_table(table.replace_schema_metadata({b"bakeoff": text.encode()}), path)
    told = refused(folder, "listings.parquet:metric=ip")
    assert told.startswith("listings.parquet: what it says of its model")
    assert f"{problem}; write the file again with bakeoff encode" in told


@pytest.mark.parametrize(
    ("ref", "problem"),
    [
        ("listings.parquet:queries=no.parquet", "listings.yaml: queries: no.parquet: no such file"),
        (
            "listings.parquet:queries=listings.yaml",
            "listings.yaml: queries: listings.yaml: is no file of vectors",
        ),
        (
            "listings.parquet:queries=bare.parquet",
            "listings.yaml: queries: bare.parquet: no column holds vectors",
        ),
        ("listings.parquet:queries=0", "listings.parquet:queries=0: queries must be "),
        (
            "listings.parquet:colums=a;b",
            "listings.parquet:colums=a;b: colums is not a known key, did you mean 'columns'?",
        ),
        ("plain.parquet:exclude=b,metric=ip,queries=1", "exclude: plain.parquet has no column 'b'"),
        (
            "arrays:queries=../same.parquet,metric=ip",
            "arrays/dataset.yaml: queries names arrays/../same.parquet",
        ),
    ],
)
def test_wrong_queries_are_named(folder: Path, ref: str, problem: str) -> None:
    (folder / "arrays").mkdir()
    for name in ("vectors", "queries"):
        np.save(folder / "arrays" / f"{name}.npy", UNIT)
    (folder / "listings.yaml").write_text("metric: ip\n")
    pq.write_table(pa.table({"x": [1]}), folder / "bare.parquet")
    assert refused(folder, ref).startswith(problem)
