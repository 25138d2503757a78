"""A scenario's data made ready: which filters are measured, which columns are indexed, and what is said of the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import ConfigurationError
from harness.oracle.corpus import Corpus, load_corpus
from harness.oracle.facts import describe_corpus
from harness.scenario.specs import Scenario

ROWS = 400


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    rng = np.random.default_rng(0)
    np.save(folder / "vectors.npy", rng.standard_normal((ROWS, 6), dtype=np.float32))
    np.save(folder / "queries.npy", rng.standard_normal((40, 6), dtype=np.float32))
    columns = {"brand": [f"b{i % 4}" for i in range(ROWS)], "flag": [i % 2 == 0 for i in range(ROWS)]}
    numbers = {f"n{i}": rng.integers(0, 50, ROWS) for i in range(30)}
    pq.write_table(pa.table(columns | numbers), folder / "attributes.parquet")
    (folder / "dataset.yaml").write_text("metric: l2\n")
    return folder


def corpus(folder: Path, **changes: Any) -> Corpus:
    scenario = {
        "name": "s",
        "dataset": str(folder),
        "k": 5,
        "engines": [{"engine": "bruteforce"}],
        "tasks": [{"task": "index"}],
    } | changes
    return load_corpus(Scenario.model_validate(scenario), folder.parent / "cache")


def refused(folder: Path, **changes: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        corpus(folder, **changes)
    return "\n".join(caught.value.problems)


def indexed(loaded: Corpus) -> list[str]:
    return [field.name for field in loaded.dataset.schema.fields]


BRAND = {"name": "brand", "keyword": "brand"}
NESTED = {"name": "nested", "where": {"or": [{"n3": {"gte": 10}}, {"not": {"n7": 4}}]}}


def test_more_than_the_data_hold_is_told_with_the_scenario_and_beside_its_other_problems(mine: Path) -> None:
    told = refused(mine, rows=ROWS + 1, queries=41, filters=[{"name": "x", "keyword": "colour"}]).splitlines()
    assert told[0].startswith("scenario s: rows: 401 asked for, but dataset 'mine' has 400")
    assert told[1].startswith("scenario s: queries: 41 asked for, but dataset 'mine' has 40")
    assert told[2].startswith("scenario s: ") and "'colour'" in told[2]


def test_only_columns_that_a_filter_names_are_indexed(mine: Path) -> None:
    assert indexed(corpus(mine)) == []
    loaded = corpus(mine, filters=[{"name": "none"}, BRAND, NESTED])
    assert indexed(loaded) == ["brand", "n3", "n7"]
    facts = describe_corpus(loaded)
    assert [field["name"] for field in facts["fields"] if field["indexed"]] == ["brand", "n3", "n7"]
    assert len(facts["fields"]) == 32


def test_which_columns_are_indexed_can_be_chosen(mine: Path) -> None:
    assert len(indexed(corpus(mine, index_columns="all"))) == 32
    assert indexed(corpus(mine, filters=[BRAND], index_columns=["n1", "brand"])) == ["brand", "n1"]
    told = refused(mine, filters=[BRAND], index_columns=["n1", "colour"])
    assert "index_columns: 'colour' is no column of mine that can be filtered by" in told
    assert "index_columns: a filter names 'brand', so engines need it" in told
    with pytest.raises(ValueError, match="index_columns"):
        corpus(mine, index_columns="brand")


def test_a_filter_that_matches_nothing_is_left_out_beside_others(mine: Path) -> None:
    nobody = {"name": "nobody", "where": {"brand": "b9"}}
    loaded = corpus(mine, filters=[BRAND, nobody])
    assert list(loaded.workloads) == ["brand"]
    assert loaded.filters == {"brand": ["brand"], "nobody": []}
    assert loaded.skipped["nobody"] == "its filters match no item at all in 40 of 40 queries"
    assert describe_corpus(loaded)["skipped"] == loaded.skipped


def test_a_scenario_in_which_nothing_matches_is_refused(mine: Path) -> None:
    told = refused(mine, filters=[{"name": "nobody", "where": {"n0": {"gt": 1000}}}])
    assert "nobody: its filters match no item at all in 40 of 40 queries" in told


@pytest.mark.parametrize(("empty", "kept"), [(0, True), (15, True), (20, False), (39, False)])
def test_queries_whose_filter_matches_nothing_are_counted(mine: Path, empty: int, kept: bool) -> None:
    lines = ['{"brand": "b9"}'] * empty + ['{"brand": "b1"}'] * (40 - empty)
    (mine / "filters.jsonl").write_text("\n".join(lines))
    loaded = corpus(mine, filters=[{"name": "none"}, {"name": "own", "from_dataset": True}])
    assert ("own:filters" in loaded.workloads) is kept
    assert ("own:filters" in loaded.skipped) is not kept
    facts = describe_corpus(loaded)
    if kept:
        assert facts["filters"][1]["queries_without_match"] == empty
        assert any(f"{empty} queries match no item" in note for note in facts["notes"]) is (empty > 0)


def test_asked_and_real_selectivity_are_told(mine: Path) -> None:
    facts = describe_corpus(corpus(mine, filters=[{"name": "10pct", "selectivity": 0.1}]))
    (entry,) = facts["filters"]
    assert entry["selectivity_asked"] == 0.1
    assert entry["selectivity_mean"] == pytest.approx(0.1, rel=0.3)
    assert facts["notes"] == [f"selectivity asked / real: 10pct 10.000% / {entry['selectivity_mean']:.3%}"]
    assert "left out" not in refused(mine, filters=[{"name": "x", "selectivity": 0.001, "column": "flag"}])
    told = refused(mine, filters=[{"name": "x", "selectivity": 0.001, "column": "flag"}])
    assert "column 'flag' of dataset 'mine' can only 50.000%" in told


FINE = [
    lambda rng, n: rng.standard_normal((n, 6)),
    lambda rng, n: [48.1, 11.6] + rng.standard_normal((n, 2)) / 10,
    lambda rng, n: rng.integers(0, 256, (n, 50)),
]


@pytest.mark.parametrize("make", FINE)
def test_data_that_float32_can_hold_needs_no_note_on_its_input(mine: Path, make: Any) -> None:
    notes = noted(mine, make)
    assert not [note for note in notes if "float32 cannot tell the neighbours apart" in note]


def test_ordinary_data_needs_no_note_at_all(mine: Path) -> None:
    assert noted(mine, FINE[0]) == []


def test_neighbours_that_float32_cannot_tell_apart_are_noted(mine: Path) -> None:
    # Seconds since 1970, a second apart; metres in a national grid, a metre apart.
    notes = noted(mine, lambda rng, n: 1.7e9 + rng.integers(0, 300, (n, 1)) + rng.standard_normal((n, 2)))
    assert "most neighbours are equally far in float32" in notes[0]
    notes = noted(mine, lambda rng, n: 5e6 + rng.standard_normal((n, 3)))
    assert "float32 cannot tell the neighbours apart" in notes[-1]


def test_arithmetic_that_may_lose_neighbours_is_noted(mine: Path) -> None:
    (note,) = noted(mine, lambda rng, n: 300 + rng.standard_normal((n, 32)))
    assert "closer together than float32 arithmetic may err" in note


def noted(folder: Path, make: Any) -> list[str]:
    rng = np.random.default_rng(1)
    np.save(folder / "vectors.npy", make(rng, ROWS).astype(np.float32))
    np.save(folder / "queries.npy", make(rng, 40).astype(np.float32))
    facts = describe_corpus(corpus(folder))
    assert facts["notes"] == []
    return facts["cautions"]  # type: ignore[no-any-return]
