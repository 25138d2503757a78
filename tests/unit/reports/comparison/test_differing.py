"""What differs between runs."""

from __future__ import annotations

from typing import Any

from harness.results.result import RunResult
from reports.comparison.differing import differences
from tests.unit.example_results import ENGINES, build

RUN = build(engines={name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}, trials=1)


def changed(**parts: Any) -> RunResult:
    """The run with some keys of its parts replaced."""
    return RUN.model_copy(update={name: getattr(RUN, name) | change for name, change in parts.items()})


def told(*results: RunResult) -> dict[str, tuple[str, ...]]:
    return {f"{one.group}: {one.name}": one.values for one in differences(results)}


def test_runs_that_are_alike_differ_in_nothing() -> None:
    assert (
        told(RUN, RUN, build(engines={name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}, trials=1))
        == {}
    )


def test_only_what_differs_is_told_where_it_differs() -> None:
    tasks = [
        task | {"clients": 4} if task["name"] == "throughput" else task for task in RUN.scenario["tasks"]
    ]
    other = changed(
        scenario={"tasks": tasks, "trials": 5, "description": "said in other words"},
        environment={
            "cpu": "Xeon",
            "memory_bytes": 16 * 2**30,
            "packages": {"bakeoff": "0.1.0", "numpy": "3.0"},
        },
        engines={"qdrant": {"version": "1.4", "capabilities": {"delete": False}}},
        dataset={"rows": 10, "model": {"name": "two-tower", "version": "3", "hash": "ab" * 20}},
    )
    assert told(RUN, other) == {
        "Data: rows": ("20000", "10"),
        "Data: model": ("–", "two-tower@3#abababababab"),
        "Scenario: trials": ("1", "5"),
        "Scenario: tasks · throughput · clients": ("1", "4"),
        "Engines: qdrant · version": ("1.2.3", "1.4"),
        "Machine: cpu": ("AMD EPYC 7B13", "Xeon"),
        "Machine: memory_bytes": ("8.0 GiB", "16.0 GiB"),
        "Software: numpy": ("2.4.0", "3.0"),
    }


def test_what_some_runs_lack_is_told_as_a_whole() -> None:
    fewer = changed(scenario={"engines": RUN.scenario["engines"][:1], "tasks": RUN.scenario["tasks"][:2]})
    fewer = fewer.model_copy(update={"engines": {"faiss-hnsw": RUN.engines["faiss-hnsw"]}})
    found = told(RUN, fewer, RUN)
    for name, text in (
        ("Engines: qdrant", "search=(hnsw_ef=(16, 64, 256)), version=1.2.3"),
        ("Scenario: tasks · updates", "upserts=500, deletes=500, batch_size=100"),
    ):
        assert found[name] == (text, "–", text)
    assert not [name for name in found if name.startswith("Engines: faiss")]


def test_values_of_every_kind_are_texts_of_a_readable_length() -> None:
    values: list[Any] = [True, 0.25, [], [1, 2], [{"name": "a"}], {}, "x" * 500, 1, None]
    results = [changed(scenario={"own": value}) for value in values]
    texts = told(*results)["Scenario: own"]
    assert texts[:6] == ("true", "0.25", "none", "1, 2", "yes", "yes")
    assert (len(texts[6]), texts[7:]) == (120, ("1", "–"))


def test_of_fingerprints_the_first_digits_are_shown() -> None:
    first, second = (changed(dataset={"fingerprint": digit * 64}) for digit in "ab")
    assert told(first, second)["Data: fingerprint"] == ("a" * 12, "b" * 12)


def test_a_result_without_facts_is_compared_too() -> None:
    bare = RUN.model_copy(update={"environment": {}, "engines": {}, "scenario": {}, "dataset": {}})
    assert told(RUN, bare)["Machine: cpu"] == ("AMD EPYC 7B13", "–")
    assert told(bare, bare) == {}
