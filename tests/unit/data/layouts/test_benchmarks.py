"""Data sets as other benchmarks lay them out, read as they are; their neighbours are never taken for the truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.columns import Keywords
from engines.filters import And, Eq, Or, Range
from harness.data.catalogue import load_dataset
from harness.errors import ConfigurationError
from tests.unit.data.user_data import QUERIES, ROWS, VECTORS

IDS = np.random.default_rng(1).permutation(ROWS)
CONDITIONS: list[Any] = [
    {"and": [{"a": {"match": {"value": "w1"}}}]},
    {"and": [{"a": {"match": {"value": "w1"}}}, {"b": {"range": {"gt": 0.5, "lt": 9}}}]},
    {"or": [{"b": {"match": {"value": 3}}}, {"b": {"match": {"value": 4}}}]},
    {"and": [{"a": {"match": {"value": "none"}}}]},
    {},
]


def write(path: Path, **columns: Any) -> None:
    pq.write_table(pa.table(columns), path)


def vectordbbench(folder: Path, train: list[str], labels: int = ROWS) -> Path:
    folder.mkdir()
    for name, rows in zip(train, np.array_split(np.arange(ROWS), len(train)), strict=True):
        write(folder / name, id=IDS[rows], emb=VECTORS[rows].tolist())
    write(folder / "test.parquet", id=range(QUERIES), emb=VECTORS[:QUERIES].tolist())
    write(folder / "neighbors.parquet", id=range(QUERIES), neighbors_id=[[0, 0, 0]] * QUERIES)
    write(
        folder / "scalar_labels.parquet",
        id=range(labels),
        labels=[f"label_{row % 3}" for row in range(labels)],
    )
    return folder


@pytest.mark.parametrize(
    "train",
    [
        ["train.parquet"],
        ["shuffle_train.parquet"],
        [f"shuffle_train-{part:02}-of-03.parquet" for part in range(3)],
    ],
)
def test_vectordbbench(train: list[str], tmp_path: Path) -> None:
    folder = vectordbbench(tmp_path / "cohere", train)
    dataset = load_dataset(f"{folder}:metric=Cosine", cache=tmp_path / "cache")
    np.testing.assert_array_equal(dataset.vectors, VECTORS)
    np.testing.assert_array_equal(dataset.queries, VECTORS[:QUERIES])
    assert dataset.ids is not None and dataset.ids.tolist() == IDS.tolist()
    labels = dataset.columns["labels"]
    assert isinstance(labels, Keywords)
    assert labels.decode() == [f"label_{item % 3}" for item in IDS]  # by id, not by row
    assert dataset.description == "not used: neighbors.parquet."


def test_vectordbbench_without_labels_for_all(tmp_path: Path) -> None:
    folder = vectordbbench(tmp_path / "cohere", ["train.parquet"], labels=ROWS - 2)
    with pytest.raises(ConfigurationError, match=r"labels.parquet: has no row for 2 ids of .*train.parquet"):
        load_dataset(f"{folder}:metric=cosine", cache=tmp_path / "cache")


def ann_filtering(folder: Path, tests: list[dict[str, Any]] | None = None) -> Path:
    folder.mkdir()
    np.save(folder / "vectors.npy", VECTORS)
    payloads = [{"a": f"w{row % 4}", "b": row} for row in range(ROWS)]
    (folder / "payloads.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in payloads))
    if tests is None:
        tests = [
            {"query": VECTORS[row].tolist(), "conditions": where, "closest_ids": [0], "closest_scores": [1.0]}
            for row, where in enumerate(CONDITIONS)
        ]
    (folder / "tests.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in tests))
    return folder


def test_ann_filtering(tmp_path: Path) -> None:
    dataset = load_dataset(f"{ann_filtering(tmp_path / 'hnm')}:metric=cosine", cache=tmp_path / "cache")
    np.testing.assert_array_equal(dataset.queries, VECTORS[: len(CONDITIONS)])
    assert [(a.name, a.kind) for a in dataset.attributes] == [("a", "keyword"), ("b", "integer")]
    assert dataset.filters["filters"] == (
        Eq("a", "w1"),
        And((Eq("a", "w1"), Range("b", gt=0.5, lt=9))),
        Or((Eq("b", 3), Eq("b", 4))),
        Eq("a", "none"),
        None,
    )
    assert dataset.description == "not used: tests.jsonl: closest_ids, closest_scores."


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"conditions": {"and": [{"a": {"geo": {"lat": 1.0, "lon": 2.0, "radius": 3}}}]}},
            "line 2: 'a' takes",
        ),
        ({"conditions": {"and": [{"nope": {"match": {"value": 1}}}]}}, "line 2: unknown column 'nope'"),
        (
            {"conditions": {"and": [{"b": {"match": {"value": "x"}}}]}},
            "line 2: 'b' is integer, it cannot equal 'x'",
        ),
        ({"query": [1.0]}, "line 2: its query has 1 numbers, but the first one 4"),
        ({"query": ["a"] * 4}, "line 2: its query must be a list of numbers"),
        ({"query": [10**350] * 4}, "line 2: its query holds a number that no vector can hold"),
        ({"query": []}, "line 2: its query must be a list of numbers"),
        ({"query": None}, "line 2: its query must be a list of numbers"),
    ],
)
def test_ann_filtering_with_faults(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    good = {"query": VECTORS[0].tolist(), "conditions": CONDITIONS[0]}
    folder = ann_filtering(tmp_path / "x", [good, good | change])
    with pytest.raises(ConfigurationError) as caught:
        load_dataset(f"{folder}:metric=cosine", cache=tmp_path / "cache")
    assert f"{folder}/tests.jsonl: {told}" in str(caught.value)


def test_ann_filtering_without_what_it_needs(tmp_path: Path) -> None:
    folder = ann_filtering(tmp_path / "x", [{"query": VECTORS[0].tolist()}] * 9)
    with pytest.raises(ConfigurationError) as caught:
        load_dataset(f"{folder}:metric=cosine", cache=tmp_path / "cache")
    assert (
        "line 1: must be an object with query (a list of numbers) and conditions" in caught.value.problems[0]
    )
    assert caught.value.problems[-1].endswith("tests.jsonl: ... and 6 more lines")
    (folder / "tests.jsonl").write_text("")
    with pytest.raises(ConfigurationError, match=r"tests\.jsonl: is empty"):
        load_dataset(f"{folder}:metric=cosine", cache=tmp_path / "cache")


def test_a_single_file_of_vectors_is_a_dataset(tmp_path: Path) -> None:
    rows = np.hstack([np.full((ROWS, 1), VECTORS.shape[1], "<i4").view("<f4"), VECTORS])
    rows.tofile(tmp_path / "mine.fvecs")
    (tmp_path / "mine.yaml").write_text("metric: l2\n")
    dataset = load_dataset(str(tmp_path / "mine.fvecs"), cache=tmp_path / "cache")
    assert (dataset.name, len(dataset.vectors), len(dataset.queries)) == (
        "mine",
        ROWS - ROWS // 10,
        ROWS // 10,
    )


@pytest.mark.parametrize("names", [("sift_base", "sift_query"), ("base.10K", "query.public.10K")])
def test_formats_of_older_benchmarks(names: tuple[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "sift"
    folder.mkdir()
    for name, rows in zip(names, (ROWS, QUERIES), strict=True):
        head = np.asarray([rows, VECTORS.shape[1]], "<u4").tobytes()
        (folder / f"{name}.fbin").write_bytes(head + VECTORS[:rows].tobytes())
    (folder / "sift_groundtruth.ivecs").write_bytes(b"\1\0\0\0\0\0\0\0")
    dataset = load_dataset(f"{folder}:metric=euclidean", cache=tmp_path / "cache")
    np.testing.assert_array_equal(dataset.vectors, VECTORS)
    np.testing.assert_array_equal(dataset.queries, VECTORS[:QUERIES])
    assert dataset.description == "not used: sift_groundtruth.ivecs."
