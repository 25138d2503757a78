"""The truth on disk: found again, never mistaken for another, recomputed when damaged."""

import resource
from dataclasses import replace

import numpy as np
import pytest

from engines.filters import Eq
from harness.data.dataset import Dataset
from harness.data.queries.workload import Workload
from harness.errors import MeasurementError
from harness.oracle.truth import cached_truth, truth_key

RNG = np.random.default_rng(0)
DATASET = Dataset(
    name="tiny",
    metric="l2",
    vectors=RNG.standard_normal((100, 4)).astype(np.float32),
    queries=RNG.standard_normal((6, 4)).astype(np.float32),
    fingerprint="abc",
    columns={"n": np.arange(100) % 3},
)
WORKLOAD = Workload("w", DATASET.queries, (None, Eq("n", 1), Eq("n", 2), None, Eq("n", 9), None), 5)


def same(a, b):
    return (
        np.array_equal(a.ids, b.ids)
        and np.array_equal(a.distances, b.distances)
        and np.array_equal(a.matches, b.matches)
        and a.k == b.k
    )


def test_the_second_call_reads_the_first_one_s_file(tmp_path):
    first = cached_truth(DATASET, WORKLOAD, tmp_path / "cache")
    # Other vectors under the same fingerprint: only a read can give the same answer.
    disguised = replace(DATASET, vectors=DATASET.vectors[::-1])
    assert same(cached_truth(disguised, WORKLOAD, tmp_path / "cache"), first)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".npz"]


@pytest.mark.parametrize(
    ("dataset", "workload"),
    [
        (replace(DATASET, fingerprint="abd"), WORKLOAD),
        (replace(DATASET, metric="ip"), WORKLOAD),
        (DATASET, replace(WORKLOAD, k=6)),
        (DATASET, replace(WORKLOAD, queries=DATASET.queries * np.float32(2))),
        (DATASET, replace(WORKLOAD, filters=(None, Eq("n", 2), Eq("n", 1), None, Eq("n", 9), None))),
        (DATASET, replace(WORKLOAD, filters=(None, Eq("n", True), Eq("n", 2), None, Eq("n", 9), None))),
        (DATASET, replace(WORKLOAD, filters=(None, Eq("n", 1), Eq("n", 1), None, Eq("n", 9), None))),
    ],
)
def test_whatever_the_answer_depends_on_changes_the_key(dataset, workload):
    assert truth_key(dataset, workload) != truth_key(DATASET, WORKLOAD)


def test_the_workload_s_name_does_not_matter():
    assert truth_key(DATASET, replace(WORKLOAD, name="other")) == truth_key(DATASET, WORKLOAD)


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-50], lambda data: b"x" * len(data)])
def test_a_damaged_file_is_computed_again(tmp_path, damage):
    first = cached_truth(DATASET, WORKLOAD, tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert same(cached_truth(DATASET, WORKLOAD, tmp_path), first)
    assert same(cached_truth(DATASET, WORKLOAD, tmp_path), first)


def test_a_flipped_bit_is_noticed(tmp_path):
    first = cached_truth(DATASET, WORKLOAD, tmp_path)
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    data[data.index(first.ids.tobytes()) + 8] ^= 1
    path.write_bytes(data)
    assert same(cached_truth(DATASET, WORKLOAD, tmp_path), first)


def test_a_file_of_another_shape_is_computed_again(tmp_path):
    first = cached_truth(DATASET, WORKLOAD, tmp_path)
    (path,) = tmp_path.iterdir()
    np.savez(path, ids=first.ids[:2], distances=first.distances[:2], matches=first.matches[:2])
    assert same(cached_truth(DATASET, WORKLOAD, tmp_path), first)


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(MeasurementError, match=r"cannot be written .*; free some space"):
            cached_truth(DATASET, WORKLOAD, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(MeasurementError, match=r"cache.*truth-.*cannot be written"):
        cached_truth(DATASET, WORKLOAD, tmp_path / "cache")
