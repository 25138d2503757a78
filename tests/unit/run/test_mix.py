"""Weights of the mix, as the scenario names them or as a log of queries has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.values.filter_syntax import to_json
from harness.data.catalogue import load_dataset
from harness.errors import ConfigurationError
from harness.oracle.corpus import load_corpus
from harness.results.result import Measurement
from harness.run.mix import log
from harness.run.mix.weights import weighed
from harness.scenario.specs import Scenario
from harness.tasks.operating_point import fastest

ROWS, QUERIES = 1000, 20
FILTERS = [
    {"name": "none"},
    {"name": "wide", "where": {"n": {"lt": 500}}},
    {"name": "narrow", "where": {"n": {"lt": 10}}},
]
SETS = [{"name": "none"}, {"name": "own", "from_dataset": True}]
BRINGS_SETS = "synthetic:rows=500,dim=4,queries=20,selectivities=0.5;0.1"
Weighed = Callable[..., tuple[dict[str, float], list[str]]]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weighed:
    """The weights and notes that a decision leads to."""
    folder = tmp_path_factory.mktemp("mix") / "mine"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, rows in (("vectors", ROWS), ("queries", QUERIES)):
        np.save(folder / f"{name}.npy", rng.standard_normal((rows, 4), dtype=np.float32))
    pq.write_table(pa.table({"n": np.arange(ROWS)}), folder / "attributes.parquet")
    (folder / "dataset.yaml").write_text("metric: l2\n")

    def resolved(
        filters: list[dict[str, Any]] = FILTERS, data: str = str(folder), **decision: Any
    ) -> tuple[dict[str, float], list[str]]:
        scenario = Scenario.model_validate(
            {"name": "s", "dataset": data, "k": 5, "engines": [{"engine": "bruteforce"}], "filters": filters,
             "tasks": [{"task": "index"}], "decision": decision}
        )  # fmt: skip
        found, notes = weighed(scenario, load_corpus(scenario, folder.parent / "cache"))
        assert found.decision.weights_from is None
        return dict(found.decision.weights or {}), notes

    return resolved


def test_weights_are_shares_of_workloads(weights: Weighed) -> None:
    assert weights() == ({}, [])
    assert weights(weights={"none": 3, "wide": 1})[0] == {"none": 0.75, "wide": 0.25}


def test_a_filter_that_stands_for_several_sets_is_shared_by_those_without_a_weight(weights: Weighed) -> None:
    half, tenth = "own:share-0.5", "own:share-0.1"
    assert weights(SETS, BRINGS_SETS, weights={"none": 2, "own": 2})[0] == {
        "none": 0.5,
        half: 0.25,
        tenth: 0.25,
    }
    assert weights(SETS, BRINGS_SETS, weights={"own": 1, half: 3})[0] == {half: 0.75, tenth: 0.25}


def test_a_set_that_the_data_do_not_bring_is_refused(weights: Weighed) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown filter set 'own:share-0.6' \(did you mean"):
        weights(SETS, BRINGS_SETS, weights={"own:share-0.6": 1})
    with pytest.raises(ConfigurationError, match=r"unknown filter set 'own:a' \(filter sets of mine: none"):
        weights(SETS, weights={"own:a": 1})


def test_the_weight_of_a_filter_that_is_left_out_goes_with_it(weights: Weighed) -> None:
    impossible = [*FILTERS, {"name": "half", "selectivity": 0.0001}]
    found, notes = weights(impossible, weights={"none": 1, "half": 1})
    assert found == {"none": 1.0}
    assert notes == ["decision.weights: filter half was left out, and its weight with it"]
    with pytest.raises(ConfigurationError, match=r"offers none of the filters that have one \(half\)"):
        weights(impossible, weights={"half": 1})


def test_each_line_of_a_log_counts_for_the_nearest_selectivity(weights: Weighed, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    lines = [{}, {}, None, {"n": {"lt": 300}}, {"n": {"lt": 900}}, {"n": 7}, {"n": -1}, {"n": {"lt": 60}}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found, notes = weights(weights_from=str(file))
    # 30 % is nearer to 50 % than to 1 %, 6 % to 1 % (in factors), 90 % to all; what matches nothing to the narrowest.
    assert found == {"none": 4 / 8, "wide": 1 / 8, "narrow": 3 / 8}
    assert notes == [
        "The weights of the filters come from log.jsonl, 8 queries: 3 counted for the filter that they equal, 5 for "
        "the one with the nearest selectivity (none 4, wide 1, narrow 3)."
    ]


def test_a_line_counts_for_the_filter_that_it_equals(weights: Weighed, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    # "other" lets as much through as "both" to the item, so that only the filter itself tells them apart.
    both = {"n": {"lt": 500}, "or": [{"n": [1, 2]}, {"n": {"gte": 3}}]}
    other = {"n": {"gte": 501, "lte": 999}}
    filters = [{"name": "other", "where": other}, {"name": "both", "where": both}]
    turned = {"or": [{"n": {"gte": 3}}, {"n": [2, 1]}], "n": {"lt": 500}}
    file.write_text(
        "".join(json.dumps(line) + "\n" for line in [turned, both, turned, other, {"n": {"lt": 499}}])
    )
    found, notes = weights(filters, weights_from=str(file))
    assert found == {"other": 2 / 5, "both": 3 / 5}
    assert "4 counted for the filter that they equal, 1 for" in notes[0]


def test_a_line_of_a_set_that_the_data_bring_counts_for_that_set(weights: Weighed, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    dataset = load_dataset(BRINGS_SETS, cache=tmp_path)
    wide, tenth = ([*dict.fromkeys(dataset.filters[name])] for name in ("share-0.5", "share-0.1"))
    near = {"name": "near", "where": {"not": {"not": to_json(tenth[0])}}}  # the same items in other words
    log = [wide[0], tenth[0], tenth[0]]
    file.write_text("".join(json.dumps(to_json(line)) + "\n" for line in log))
    found, _ = weights([near, *SETS], BRINGS_SETS, weights_from=str(file))
    assert found == {"own:share-0.5": 1 / 3, "own:share-0.1": 2 / 3}
    same = {"name": "same", "where": to_json(tenth[0])}
    assert weights([*SETS, same], BRINGS_SETS, weights_from=str(file))[0]["same"] == 2 / 3


def test_no_filter_and_one_that_all_items_pass_are_told_apart(weights: Weighed, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text('{}\n{"n": {"gte": 0}}\n{"n": {"gte": 0}}\n')
    every = {"name": "all", "where": {"n": {"gte": 0}}}
    assert weights([FILTERS[0], every], weights_from=str(file))[0] == {"none": 1 / 3, "all": 2 / 3}


def test_a_faulty_log_is_refused_with_its_lines(weights: Weighed, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text('{"n": 1}\n{"m": 1}\nnot json\n')
    with pytest.raises(ConfigurationError) as caught:
        weights(weights_from=str(file))
    first, second = caught.value.problems
    assert "decision.weights_from: " in first
    assert "line 2" in first
    assert "'m'" in first
    assert "line 3: is not JSON" in second
    file.write_text("")
    for path in (file, tmp_path / "nowhere"):
        with pytest.raises(ConfigurationError, match=f"{path.name}: (is empty|cannot be read)"):
            weights(weights_from=str(path))


def test_of_a_log_with_very_many_filters_a_part_is_drawn(
    weights: Weighed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "MOST_FILTERS", 50)
    file = tmp_path / "log.jsonl"
    file.write_text(
        "".join(json.dumps({"n": {"lt": 400 + number}}) + "\n" for number in range(200)) + "{}\n" * 200
    )
    found, notes = weights(weights_from=str(file))
    assert "400 queries (50 of them drawn at random)" in notes[0]
    assert found["none"] == pytest.approx(0.5, abs=0.25)


def test_the_operating_point_is_the_fastest_over_the_mix() -> None:
    rates = {16: {"none": 4000.0, "narrow": 500.0}, 64: {"none": 1000.0, "narrow": 2000.0}}
    cells = [
        Measurement(
            engine="e", adapter="e", trial=0, task="t", kind="search", filter=name, executor="closed_loop",
            params={"search": {"ef": ef}}, metrics={"recall_at_10": 1.0, "throughput_qps": rate},
        )
        for ef, own in rates.items() for name, rate in own.items()
    ]  # fmt: skip
    assert fastest(cells, 0.9, 10) == {"ef": 64}
    assert fastest(cells, 0.9, 10, {"none": 0.9, "narrow": 0.1}) == {"ef": 16}
    assert fastest(cells, 0.9, 10, {"other": 1.0}) == {"ef": 64}
    stuck = [cell.model_copy(update={"metrics": cell.metrics | {"throughput_qps": 0.0}})
             if cell.filter == "narrow" else cell for cell in cells]  # fmt: skip
    assert fastest(stuck, 0.9, 10, {"none": 1.0}) == {"ef": 16}
