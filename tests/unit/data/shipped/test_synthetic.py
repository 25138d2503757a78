"""Synthetic corpora: the same on every build, with the selectivity and the correlation that was asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engines.columns import Keywords
from engines.filters import Range, matches
from harness.data.catalogue import load_dataset
from harness.data.dataset import Dataset
from harness.data.manifest import SyntheticManifest
from harness.data.queries.workload import Workload, selectivity
from harness.data.shipped.synthetic import KEYS, build_synthetic
from harness.data.stored.store import open_dataset
from harness.progress import silent

ROOT = Path(__file__).parents[4]


def build(folder: Path, block: int | None = None, **parameters: object) -> Dataset:
    folder.mkdir(parents=True)
    spec = SyntheticManifest.model_validate(
        {"kind": "synthetic", "name": "s", "rows": 2000, "dim": 8, "queries": 40, "clusters": 20} | parameters
    )
    build_synthetic(folder, spec, silent, block)
    return open_dataset(folder)


@pytest.mark.parametrize("block", [1, 7, 1999, 5000])
def test_the_block_size_changes_nothing(block: int, tmp_path: Path) -> None:
    assert build(tmp_path / "a", block).fingerprint == build(tmp_path / "b").fingerprint


def test_fewer_rows_are_the_first_rows(tmp_path: Path) -> None:
    few, many = build(tmp_path / "few", rows=300), build(tmp_path / "many", rows=1000)
    np.testing.assert_array_equal(few.vectors, many.vectors[:300])
    np.testing.assert_array_equal(few.queries, many.queries)
    assert few.filters == many.filters


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"metric": "ip"}, {"dim": 9}, {"clusters": 5}, {"spread": 0.6}, {"decay": 0.1}, {"correlation": 0.5},
     {"selectivities": [0.2]}, {"tags": 7}, {"rows": 1999}, {"queries": 39}],
)  # fmt: skip
def test_every_parameter_changes_the_fingerprint(change: dict[str, object], tmp_path: Path) -> None:
    assert build(tmp_path / "a").fingerprint != build(tmp_path / "b", **change).fingerprint


def test_the_columns_have_the_kinds_and_ranges_they_promise(tmp_path: Path) -> None:
    dataset = build(tmp_path / "a", tags=12)
    key, tag, stamp, flag = (dataset.columns[name] for name in ("key", "tag", "stamp", "flag"))
    assert key.dtype == stamp.dtype == np.int64 and flag.dtype == np.bool_
    assert key.min() >= 0 and key.max() < KEYS
    assert isinstance(tag, Keywords) and set(tag.decode()) <= {f"tag-{i:02}" for i in range(1, 13)}
    counts = np.bincount(tag.codes, minlength=12)
    assert counts[0] == counts.max() and counts[0] > 3 * counts[11]
    assert all(attribute.origin == "generated" for attribute in dataset.attributes)


@pytest.mark.parametrize("correlation", [-1.0, 0.0, 0.5, 1.0])
def test_the_selectivity_is_the_one_asked_for_whatever_the_correlation(
    correlation: float, tmp_path: Path
) -> None:
    dataset = build(
        tmp_path / "a", rows=20_000, selectivities=[1.0, 0.3, 0.05, 0.01], correlation=correlation
    )
    for share in (1.0, 0.3, 0.05, 0.01):
        name = f"share-{share:g}"
        measured = selectivity(Workload(name, dataset.queries, dataset.filters[name], 1), dataset)
        deviation = 6 * np.sqrt(share * (1 - share) / 20_000)
        assert measured.min == pytest.approx(share, abs=deviation + 1e-9)
        assert measured.max == pytest.approx(share, abs=deviation + 1e-9)
    assert {where.field for where in dataset.filters["share-0.3"] if isinstance(where, Range)} == {"key"}


@pytest.mark.parametrize(
    ("correlation", "least", "most"),
    [(1.0, 0.6, 1.0), (0.5, 0.2, 0.75), (0.0, 0.05, 0.15), (-1.0, 0.0, 0.02)],
)
def test_correlation_decides_whether_near_items_match(
    correlation: float, least: float, most: float, tmp_path: Path
) -> None:
    dataset = build(
        tmp_path / "a", rows=4000, selectivities=[0.1], correlation=correlation, spread=0.2, decay=0.0
    )
    share = []
    for query, where in zip(dataset.queries, dataset.filters["share-0.1"], strict=True):
        near = np.argsort(((dataset.vectors - query) ** 2).sum(axis=1))[:50]
        share.append(matches(where, dataset.columns, 4000)[near].mean())
    assert least <= np.mean(share) <= most


def test_memory_is_bounded_by_the_block_not_by_the_rows(tmp_path: Path) -> None:
    # In a process of its own: the peak of this one has other tests in it.
    code = (
        "import resource, sys; from pathlib import Path; from harness.data.catalogue import load_dataset\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "load_dataset('synthetic:rows=10', cache=Path(sys.argv[1])); before = peak()\n"
        "load_dataset('synthetic:rows=200000,dim=256', cache=Path(sys.argv[1])); print(peak() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert int(done.stdout) < 200_000 * 256 * 4 / 2


def test_the_second_load_builds_nothing(tmp_path: Path) -> None:
    reports: list[str] = []

    def load() -> Dataset:
        reports.clear()
        return load_dataset(
            "synthetic:rows=100,dim=4", cache=tmp_path, progress=lambda what, *_: reports.append(what)
        )

    first = load()
    assert any("vectors" in what for what in reports)
    assert load().fingerprint == first.fingerprint
    assert reports == []


def test_a_list_of_one_may_be_written_as_a_value(tmp_path: Path) -> None:
    dataset = load_dataset("synthetic:rows=100,dim=4,selectivities=0.25", cache=tmp_path)
    assert list(dataset.filters) == ["share-0.25"]
