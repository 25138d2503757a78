"""Every planted fault is caught by a named metric in a run of the scenario `smoke`; the correct engine is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from harness.results.result import Measurement, RunResult, read_result
from reports.decide.decision import Decision, decide
from tests.cli.conftest import REPOSITORY, Shell

ROWS, QUERIES, DIM = 1_500, 400, 16
LONGEST_S = 900
RUNS = 3  # at the same time: most of a session is spent in loops that are bounded in time
pytestmark = pytest.mark.timeout(LONGEST_S + 60)  # the first test waits for the runs of all engines
FILTERS: list[dict[str, Any]] = [
    {"not": {"brand": "b0"}},
    {"price": {"gte": 3, "lt": 8}},
    {"price": {"gt": 3, "lte": 8}},
    {"brand": ["b3"]},
    {"brand": ["b3", "B5"]},
    {"or": [{"brand": "b1"}, {"flag": True}]},
    {"brand": "b2", "price": {"gte": 2}},
    {"brand": "B7"},
    {"weight": {"gte": 2.0, "lte": 5.0}},
    {"price": {"lte": 0}},
    {"price": {"gte": 19, "lte": 19}},
    {"rank": {"gte": 10}},
    {"flag": False},
    {"price": 0},
    {"brand": ""},
    {"brand": "Zoë"},
]

# Fault -> a metric that must show it (`metric`), or the text of a failed cell (`error: text`).
CAUGHT: dict[str, dict[str, str]] = {
    "answers": {
        "FilterForgottenAtTimes": "violations",
        "LastHitBreaksFilter": "violations",
        "NotIgnored": "violations",
        "LowerThanReadAsAtMost": "violations",
        "AtMostReadAsLowerThan": "recall",
        "OneOfOneIgnored": "violations",
        "OnlyFirstConditionKept": "violations",
        "EqualityIgnoresCase": "violations",
        "HitRepeated": "duplicates",
        "OneHitTooFew": "short_results",
        "TwiceTheHits": "overlong",
        "UnknownId": "unknown_ids",
        "NegativeId": "unknown_ids",
        "SeventhInsteadOfNearest": "recall",
        "SameAnswerAlways": "recall",
        "AnswerOfTheQueryBefore": "recall",
        "WrongAfterSomeQueries": "recall",
        "WrongWhileAnotherIsInside": "recall",
        "QueryChanged": "recall",
        "ScoresWrong": "wrong_scores",
        "ScoresMissing": "wrong_scores",
        "ScoresNotANumber": "wrong_scores",
        "WorstFirst": "unordered",
        "FailsWhenLookedAt": "error: server said 500",
        "BufferOverwritten": "changed_answers",
        "FilledInLater": "recall",
    },
    "failures": {
        "FailsAtTimes": "errors",
        "OutOfMemory": "error: MemoryError",
        "DiesUnderLoad": "error: SIGSEGV",
        "LeavesUnderLoad": "error: exit code 0",
        "ExitsUnderLoad": "error: exit",
        "IdsAreFractions": "error: unreadable hits",
        "IdsAreTexts": "error: unreadable hits",
        "NoHitsAtAll": "error: has no len()",
        "NothingReturned": "error: no attribute 'ids'",
        "DeletesNotDone": "ghosts",
        "UpdatesKeepTheVector": "missed_updates",
        "UpdatesKeepTheAttributes": "violations",
        "UpdatesLost": "missed_updates",
        "UpdatesSeenLate": "missed_updates",
        "CountsOneTooMany": "error: the engine holds",
        "ItemsLeftOut": "error: exact mode reaches recall",
        "RefreshFails": "error: refresh failed",
        "RefreshFailsAfterUpdates": "error: refresh failed",
        "AnswersRememberedAcrossWrites": "ghosts",
    },
    "writes": {
        "SingleUpsertsLost": "error: items should be left",
        "SingleDeletesLost": "ghosts",
        "OneUpdateOfManyLost": "error: after the writes its exact mode",
        "LastOfEveryBatchLost": "error: after the writes its exact mode",
        "DeletedComesBack": "ghosts",
        "DeletesTheNeighbourToo": "error: after the writes its exact mode",
        "OldVersionStays": "wrong_scores",
        "OneColumnKept": "missed_updates",
        "ColumnsSwapped": "error: exact mode reaches recall",
        "IdsChangedInPlace": "missed_updates",
        "DeletedIdsChangedInPlace": "ghosts",
    },
    "conditions": {
        "WrongInOtherThreads": "recall",
        "WrongAfterAPause": "recall",
        "WrongWithoutAPause": "recall",
        "WrongOnceInFifty": "wrong_scores",
        "FirstQueryFails": "errors",
        "FirstQueryOfAllFails": "errors",
        "RememberedByFilter": "recall",
        "RememberedByRounding": "recall",
    },
    "forms": {
        "FalseMatchesAll": "violations",
        "ZeroBoundForgotten": "violations",
        "OrReadAsAnd": "missed_updates",
        "NotOverAllParts": "missed_updates",
        "BoundInFloat32": "missed_updates",
        "AccentsFolded": "violations",
        "AtMostFour": "short_results",
        "NotSquared": "wrong_scores",
        "ScoresInFloat16": "wrong_scores",
        "IdsWrapped": "unknown_ids",
        "AnswersAreGenerators": "error: has no len()",
        "ScoresComputedLater": "wrong_scores",
    },
}
# Their answers are right: the flag that says what is wrong with their speed, or a figure and what it is at least or at
# most.
SHOWN: dict[str, dict[str, str]] = {
    "failures": {"AnswersRemembered": "flag remembered", "StallsNowAndThen": "latency_max_ms least 150"},
    "conditions": {"RememberedWhenAskedTwice": "flag remembered"},
    "answers": {"SearchesWhenLookedAt": "throughput_qps most 200"},
}
FAULTS = [(name, sign) for faults in CAUGHT.values() for name, sign in faults.items()]


def write_data(folder: Path) -> None:
    rng = np.random.default_rng(1)
    folder.mkdir()
    np.save(folder / "vectors.npy", rng.standard_normal((ROWS, DIM)).astype(np.float32))
    np.save(folder / "queries.npy", rng.standard_normal((QUERIES, DIM)).astype(np.float32))
    brands = [
        f"{'bB'[int(upper)]}{number}"
        for upper, number in zip(rng.random(ROWS) < 0.5, rng.integers(0, 10, ROWS), strict=True)
    ]
    rare = rng.random(ROWS)
    brands = [
        ("Zoë" if share < 0.05 else "Zoe" if share < 0.1 else "" if share < 0.15 else brand)
        for share, brand in zip(rare, brands, strict=True)
    ]
    frame = {
        "price": rng.integers(0, 20, ROWS),
        "rank": rng.integers(0, 20, ROWS),
        "brand": brands,
        "flag": rng.random(ROWS) < 0.5,
        "weight": np.round(rng.random(ROWS) * 10, 1),
    }
    pd.DataFrame(frame).to_parquet(folder / "attributes.parquet")
    lines = [json.dumps(FILTERS[i % len(FILTERS)]) for i in range(QUERIES)]
    (folder / "filters.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "dataset.yaml").write_text("metric: l2\n")


def write_scenario(folder: Path, name: str, engines: list[str]) -> None:
    """The tasks and requirements of `smoke`, one trial."""
    scenario = yaml.safe_load((REPOSITORY / "scenarios" / "smoke.yaml").read_text())
    scenario |= {
        "dataset": "mine",
        "trials": 1,
        "engines": [{"engine": f"tests.faults.{engine}"} for engine in engines],
        "filters": [
            {"name": "none"},
            {"name": "10pct", "selectivity": 0.1},
            {"name": "own", "from_dataset": True},
        ],
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(scenario))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[RunResult]:
    """All engines, dealt out to RUNS runs at the same time, the correct one in each."""
    folder = tmp_path_factory.mktemp("faults")
    write_data(folder / "mine")
    found = (CAUGHT, SHOWN)
    faulty = [f"{module}:{name}" for kind in found for module, faults in kind.items() for name in faults]
    names = [f"part-{number}" for number in range(RUNS)]
    for number, name in enumerate(names):
        write_scenario(folder, name, ["answers:Sound", *faulty[number::RUNS]])
    processes = [Shell(folder).start("run", f"{name}.yaml", "--out", name) for name in names]
    for process in processes:
        _, err = process.communicate(timeout=LONGEST_S)
        assert process.returncode in (0, 1), err  # 1: there is an engine of which every cell failed
    return [read_result(folder / name) for name in names]


@pytest.fixture(scope="module")
def decisions(runs: list[RunResult]) -> list[Decision]:
    return [decide(run) for run in runs]


def cells(runs: list[RunResult], engine: str) -> list[Measurement]:
    found = [cell for run in runs for cell in run.measurements if cell.engine == engine]
    assert found
    return found


def standings(decisions: list[Decision], engine: str) -> list[str]:
    found = [one.status for decision in decisions for one in decision.standings if one.engine == engine]
    assert found
    return found


def shows(cell: Measurement, sign: str) -> bool:
    if sign.startswith("error: "):
        return sign.removeprefix("error: ") in (cell.error or "")
    if sign == "recall":
        return (cell.metrics.get("recall_at_10", 1.0) or 0.0) < 0.9
    return bool(cell.metrics.get(sign))


@pytest.mark.parametrize(("fault", "sign"), FAULTS)
def test_a_planted_fault_is_caught(runs: list[RunResult], fault: str, sign: str) -> None:
    assert any(shows(cell, sign) for cell in cells(runs, fault)), [
        (cell.task, cell.filter, cell.error, cell.metrics) for cell in cells(runs, fault)
    ]


@pytest.mark.parametrize(("fault", "sign"), [entry for faults in SHOWN.values() for entry in faults.items()])
def test_what_is_wrong_with_an_engines_speed_is_shown(runs: list[RunResult], fault: str, sign: str) -> None:
    searches = [cell for cell in cells(runs, fault) if cell.kind == "search"]
    what, *limit = sign.split()
    if what == "flag":
        found = [flag for cell in searches for flag in cell.flags if flag.startswith(limit[0])]
    else:
        values = [cell.metrics[what] or 0.0 for cell in searches]
        found = [v for v in values if (v >= float(limit[1]) if limit[0] == "least" else v <= float(limit[1]))]
    assert found, [(cell.flags, cell.metrics) for cell in searches]


@pytest.mark.parametrize("fault", [name for name, _ in FAULTS])
def test_an_engine_with_a_fault_does_not_meet_the_requirements(decisions: list[Decision], fault: str) -> None:
    (status,) = standings(decisions, fault)
    assert status in ("eliminated", "not measured")


def test_the_correct_engine_shows_no_fault_and_meets_them(
    runs: list[RunResult], decisions: list[Decision]
) -> None:
    signs = {sign for _, sign in FAULTS if not sign.startswith("error")}
    for cell in cells(runs, "Sound"):
        assert cell.error is None
        assert not [sign for sign in signs if shows(cell, sign)], cell.metrics
    found = standings(decisions, "Sound")
    assert len(found) == RUNS
    assert set(found) <= {"leads", "eligible", "pick", "only candidate"}
