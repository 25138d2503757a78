"""`bakeoff run` from end to end."""

from __future__ import annotations

import json
import re
import resource
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from harness.results.result import read_result
from tests.cli.conftest import Shell
from tests.cli.results import INDEX_ONLY, broken, cells


def test_a_run_leaves_result_samples_report_and_decision(finished: Any) -> None:
    shell, done = finished
    assert done.returncode == 0, done.stderr
    run = shell.folder / "runs" / "latest"
    assert (run / "report.html").stat().st_size > 10_000
    assert json.loads((run / "decision.json").read_text())["schema_version"] >= 1
    result = read_result(run)
    assert result.finished_at is not None
    assert not [cell.error for cell in result.measurements if cell.error]
    # a trial: bruteforce 1 index + 2 closed + 1 open + 1 updates; hnsw 1 + 4 + 1 + 1
    assert len(result.measurements) == 2 * (5 + 7)
    for cell in cells(result, kind="search"):
        assert cell.metrics["recall_at_5"] > 0.5
        assert cell.metrics["violations"] == 0
        samples = pq.read_table(run / cell.samples)
        assert samples.num_rows == cell.metrics["queries"]
        assert {"scheduled_ns", "sent_ns", "done_ns", "ids", "status"} <= set(samples.column_names)
    for cell in cells(result, engine="bruteforce", kind="search"):
        assert cell.metrics["recall_at_5"] == 1.0
    for cell in cells(result, kind="updates"):
        assert cell.metrics["ghosts"] == 0
        assert cell.metrics["violations"] == 0
        assert cell.metrics["freshness_p50_ms"] >= 0
    for cell in result.measurements:
        for name, value in cell.metrics.items():
            assert value is not None or name in cell.reasons, (cell.task, name)


def test_the_terminal_shows_the_table_and_where_the_report_is(finished: Any) -> None:
    _, done = finished
    assert "bruteforce" in done.stdout
    assert "hnsw" in done.stdout
    assert "report.html" in done.stdout


def test_figures_go_to_stdout_and_progress_to_stderr(finished: Any) -> None:
    _, done = finished
    assert "\x1b[" not in done.stdout + done.stderr  # no terminal, no bars and no colours


def test_only_some_engines_and_trials(shell: Shell) -> None:
    done = shell(
        "run", "tiny.yaml", "--engines", "bruteforce", "--trials", "1", "--out", "out/one", "--queries", "10"
    )
    assert done.returncode == 0, done.stderr
    result = read_result(shell.folder / "out" / "one")
    assert {cell.engine for cell in result.measurements} == {"bruteforce"}
    assert {cell.trial for cell in result.measurements} == {0}
    assert result.dataset["queries"] == 10


def test_own_data_without_attributes_runs_a_portable_scenario(shell: Shell) -> None:
    (shell.folder / "mine" / "attributes.parquet").unlink()
    tasks = [{"task": "index"}, {"task": "search", "name": "s", "duration_s": 0.1}]
    filters = [{"name": "none"}, {"name": "few", "selectivity": 0.1}, {"name": "own", "from_dataset": True}]
    name = shell.scenario("plain", tasks=tasks, filters=filters)
    done = shell("run", name)
    assert done.returncode == 0, done.stderr
    result = read_result(shell.folder / "runs" / "latest")
    assert set(result.dataset["skipped"]) == {"few", "own"}


@pytest.mark.parametrize(
    ("changes", "arguments", "expected"),
    [
        ({"engines": [{"engine": "faist"}]}, (), "unknown engine 'faist' (did you mean 'faiss'? known: "),
        ({"engines": [{"engine": "faiss", "index": {"kind": "hnsw", "Mm": 3}}]}, (), "index: Mm is not a known key"),
        ({"engines": [{"engine": "faiss", "search": {"efSearch": [16, -1]}}]}, (), "search: efSearch must be greater"),
        ({"k": 1000}, (), "wrong.yaml: k is 1000 but mine has 300 items; lower k"),
        ({"filters": [{"name": "f", "where": {"colour": "red"}}], **INDEX_ONLY}, (), "unknown column 'colour'"),
        ({"filters": [{"name": "f", "where": {"brand": {"gt": 3}}}], **INDEX_ONLY}, (), "a range needs"),
        ({"filters": [{"name": "f", "keyword": "colour"}], **INDEX_ONLY}, (), "keyword: unknown column 'colour'"),
        ({}, ("--dataset", "fashion-mnits"), "'fashion-mnits' is neither known (did you mean 'fashion-mnist'?"),
        ({}, ("--dataset", "nowhere/at/all"), "dataset 'nowhere/at/all' is neither known"),
        ({}, ("--engines", "hnws"), "'hnws' is not in wrong.yaml (did you mean 'hnsw'? it has: bruteforce, hnsw)"),
        ({}, ("--rows", "0"), "--rows: must be a whole number of at least 1, got '0'"),
        ({}, ("--rows", "301"), "rows: 301 asked for, but dataset 'mine' has 300"),
        ({}, ("--resume",), "holds no result.json"),
        ({"trial": 3}, (), "trial is not a known key, did you mean 'trials'?"),
    ],
)  # fmt: skip
def test_wrong_input_is_named_and_exits_with_104(
    shell: Shell, changes: dict[str, Any], arguments: tuple[str, ...], expected: str
) -> None:
    done = shell("run", shell.scenario("wrong", **changes), *arguments)
    assert done.returncode == 104, done.stderr
    assert expected in done.stderr
    assert not (shell.folder / "runs").exists() or not list((shell.folder / "runs").glob("*/result.json"))


def test_all_problems_of_the_filters_and_the_engines_come_at_once(shell: Shell) -> None:
    filters = [{"name": "a", "where": {"colour": "red"}}, {"name": "b", "where": {"shape": "round"}}]
    done = shell("run", shell.scenario("wrong", filters=filters, tasks=[{"task": "index"}]))
    assert "colour" in done.stderr
    assert "shape" in done.stderr
    done = shell("run", shell.scenario("wrong", engines=[{"engine": "x"}, {"engine": "y"}]))
    assert "'x'" in done.stderr
    assert "'y'" in done.stderr


def test_a_column_called_as_a_word_of_the_filter_language_stops_describe_and_run(shell: Shell) -> None:
    pd.DataFrame({"brand": ["a"] * 300, "not": range(300)}).to_parquet(
        shell.folder / "mine/attributes.parquet"
    )
    for command in (("data", "describe", "mine"), ("run", "tiny.yaml")):
        done = shell(*command)
        assert done.returncode == 104
        assert (
            "mine/attributes.parquet: column 'not': and, or, not are words of the filter language; rename it"
            in done.stderr
        )


def test_client_processes_share_an_engine_that_allows_it(shell: Shell) -> None:
    search = {"task": "search", "duration_s": 0.3, "warmup_s": 0, "clients": 2, "processes": 2}
    tasks = [
        {"task": "index"},
        {**search, "name": "closed"},
        {**search, "name": "open", "executor": "arrival_rate", "rate": 200},
    ]
    name = shell.scenario(
        "shared", trials=1, tasks=tasks, engines=[broken("Shared"), {"engine": "bruteforce"}]
    )
    done = shell("run", name)
    assert done.returncode == 0, done.stderr
    result = read_result(shell.folder / "runs" / "latest")
    for cell in cells(result, engine="shared", kind="search"):
        assert cell.error is None
        assert cell.metrics["recall_at_5"] == 1.0
        clients = pq.read_table(shell.folder / "runs" / "latest" / cell.samples)["client"].to_pylist()
        assert set(clients) == {0, 1}
    assert all("unsupported" in cell.error for cell in cells(result, engine="bruteforce", kind="search"))


def test_a_dead_engine_costs_its_own_cells_only(shell: Shell) -> None:
    done = shell(
        "run", shell.scenario("dead", trials=1, engines=[broken("Crashing"), {"engine": "bruteforce"}])
    )
    assert done.returncode == 1
    assert "engine crashing: every cell failed: " in done.stderr
    assert "SIGABRT" in done.stderr.split("every cell failed: ")[1]
    result = read_result(shell.folder / "runs" / "latest")
    assert all("SIGABRT" in cell.error for cell in cells(result, engine="crashing"))
    assert len(cells(result, engine="crashing")) == len(cells(result, engine="bruteforce")) == 5
    assert not any(cell.error for cell in cells(result, engine="bruteforce"))


def test_a_hanging_engine_is_stopped(shell: Shell) -> None:
    name = shell.scenario(
        "hang", trials=1, cell_timeout_s=5, engines=[broken("Hanging"), {"engine": "bruteforce"}]
    )
    done = shell("run", name)
    assert done.returncode == 1
    result = read_result(shell.folder / "runs" / "latest")
    assert all("it reported nothing" in cell.error for cell in cells(result, engine="hanging"))
    assert not any(cell.error for cell in cells(result, engine="bruteforce"))


def test_failing_queries_leaks_ghosts_and_inexact_answers_are_counted(shell: Shell) -> None:
    names = ("Raising", "Leaking", "Forgetful", "Inexact")
    shell("run", shell.scenario("bad", trials=1, engines=[broken(name) for name in names]))
    result = read_result(shell.folder / "runs" / "latest")
    raising = cells(result, engine="raising", task="closed")[0]
    assert raising.metrics["errors"] >= raising.metrics["queries"] // 3 - 1 > 0
    assert re.search(r"out of luck \([\d,]+ times\)$", raising.reasons["errors"])
    leaking = cells(result, engine="leaking", task="closed", filter="brand")[0]
    assert leaking.metrics["violations"] > 0
    assert leaking.metrics["recall_at_5"] < 1
    forgetful = cells(result, engine="forgetful", kind="updates")[0]
    assert forgetful.metrics["ghosts"] > 0
    assert "items should be left" in forgetful.error
    inexact = cells(result, engine="inexact")
    assert "1.0 is required" in inexact[0].error
    assert all(cell.error and not cell.metrics for cell in inexact[1:])  # nothing approximate is shown
    decision = json.loads((shell.folder / "runs" / "latest" / "decision.json").read_text())
    assert decision["verdict"] != "pick"


def test_an_existing_run_is_not_overwritten(finished: Any) -> None:
    shell, _ = finished
    done = shell("run", "tiny.yaml", "--out", "runs/latest")
    assert done.returncode == 104
    assert "--resume" in done.stderr


def test_a_full_disk_is_an_error_and_loses_nothing(shell: Shell) -> None:
    assert shell("run", "tiny.yaml", "--out", "runs/full", "--engines", "bruteforce").returncode == 0
    saved = (shell.folder / "runs" / "full" / "result.json").read_bytes()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(saved) // 2, len(saved) // 2))

    done = shell(
        "run", "tiny.yaml", "--out", "runs/full", "--engines", "bruteforce", "--resume", preexec_fn=limit
    )
    assert done.returncode == 1, done.stderr
    assert "cells.jsonl: cannot be written" in done.stderr
    assert (shell.folder / "runs" / "full" / "result.json").read_bytes() == saved


def test_help_ends_in_examples() -> None:
    shell = Shell(Path.cwd())
    for command in (
        "run",
        "report",
        "gate",
        "data",
        "engines",
        "calibrate",
        "train",
        "encode",
        "data describe",
    ):
        done = shell(*command.split(), "--help")
        assert done.returncode == 0
        assert f"bakeoff {command}" in done.stdout.split("Examples:")[1]
    assert shell("--help").stdout.rstrip().endswith("104 invalid configuration.")
    assert shell("dance").returncode == 104


@pytest.mark.parametrize(
    ("out", "named"),
    [("/proc/nowhere/run", "/proc/nowhere"), ("/proc/run", "/proc"), ("tiny.yaml/x/run", "tiny.yaml/x")],
)
def test_a_folder_that_cannot_be_written_is_named_before_anything_else_is_done(
    shell: Shell, out: str, named: str
) -> None:
    done = shell("run", "tiny.yaml", "--out", out)
    assert done.returncode == 1
    assert f"error: {named}: cannot be written" in done.stderr
    assert "--out" in done.stderr
    assert not (shell.folder / "cache").exists()


def test_more_is_not_asked_of_a_corpus_than_it_has(shell: Shell) -> None:
    done = shell("run", "tiny.yaml", "--rows", "3")
    assert done.returncode == 104
    assert "tiny.yaml: k is 5 but mine has 3 items; lower k" in done.stderr
    assert "tiny.yaml: tasks: updates needs at least 4 items, mine has 3; leave the task out" in done.stderr


def test_the_smallest_corpus_is_measured(shell: Shell) -> None:
    done = shell("run", shell.scenario("small", k=4), "--rows", "4")
    assert done.returncode == 0, done.stderr
