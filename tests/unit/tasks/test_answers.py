"""The answers task: every query once, each for as many hits as it is to be asked for; what fails is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engines.base import Hits
from engines.bruteforce.adapter import BruteForce
from harness.errors import MeasurementError
from harness.results.samples import read_answers
from tests.cli.broken_engines import Raising
from tests.unit.tasks.benches import bench_of, measure


class Noting(BruteForce):
    """Writes down how many hits it is asked for."""

    def query(self, vector: Any, k: int, *arguments: Any, **options: Any) -> Hits:
        self.wanted = [*getattr(self, "wanted", []), k]
        return super().query(vector, k, *arguments, **options)


class Failing(BruteForce):
    def query(self, *arguments: Any, **options: Any) -> Hits:
        raise RuntimeError("out of luck")


def test_every_query_is_asked_once_for_its_hits(tmp_path: Path) -> None:
    hits = [1 + number % 7 for number in range(60)]
    bench = bench_of(tmp_path, Noting, {"task": "answers", "hits": hits})
    measure(bench, "index")
    asked_before = len(bench.engine.wanted)  # type: ignore[attr-defined]
    cell = measure(bench, "answers")
    wanted = [min(number, 5) for number in hits]  # k is 5
    assert bench.engine.wanted[asked_before:] == wanted  # type: ignore[attr-defined]
    assert cell.metrics == {"queries": 60, "errors": 0}
    assert cell.samples is not None
    ids, queries = read_answers(tmp_path / cell.samples)
    assert queries.tolist() == list(range(60))
    assert [(row >= 0).sum() for row in ids] == wanted
    truth = bench.corpus.truths[cell.filter]
    assert all(
        (row[:count] == exact[:count]).all() for row, exact, count in zip(ids, truth.ids, wanted, strict=True)
    )


def test_without_hits_each_is_asked_for_k(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, BruteForce, {"task": "answers"})
    measure(bench, "index")
    cell = measure(bench, "answers")
    assert cell.samples is not None
    assert (read_answers(tmp_path / cell.samples)[0] >= 0).sum() == 60 * 5


def test_queries_that_fail_are_empty_and_counted(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, Raising, {"task": "answers"})
    measure(bench, "index")
    cell = measure(bench, "answers")
    assert cell.metrics == {"queries": 60, "errors": 20}
    assert "out of luck" in cell.reasons["errors"]
    assert cell.samples is not None
    ids, queries = read_answers(tmp_path / cell.samples)
    assert len(queries) == 60
    assert ((ids >= 0).sum(axis=1) == 0).sum() == 20


def test_an_engine_that_never_answers_has_no_figure(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, Failing, {"task": "answers"})
    with pytest.raises(MeasurementError, match=r"every query failed: .*out of luck"):
        measure(bench, "answers")


def test_hits_of_other_data_are_refused(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, BruteForce, {"task": "answers", "hits": [5, 5]})
    with pytest.raises(MeasurementError, match="a number for each of the 60 queries, has 2"):
        measure(bench, "answers")
