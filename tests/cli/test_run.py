"""`bakeoff run` from end to end."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pyarrow.parquet as pq
import pytest

from harness.results.result import RunResult, read_result
from harness.results.writing import write_result
from tests.cli.conftest import Shell

INDEX_ONLY = {"tasks": [{"task": "index"}]}


def cells(result: RunResult, **wanted: Any) -> list[Any]:
    return [c for c in result.measurements if all(getattr(c, key) == value for key, value in wanted.items())]


def broken(name: str) -> dict[str, Any]:
    return {"engine": f"tests.cli.broken_engines:{name}", "label": name.lower()}


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
        ({"engines": [{"engine": "faist"}]}, (), "unknown engine 'faist'"),
        ({"engines": [{"engine": "faiss", "index": {"kind": "hnsw", "Mm": 3}}]}, (), "index: Mm is not a known key"),
        ({"engines": [{"engine": "faiss", "search": {"efSearch": [16, -1]}}]}, (), "search: efSearch must be greater"),
        ({"k": 1000}, (), "wrong.yaml: k is 1000 but mine has 300 items; lower k"),
        ({"filters": [{"name": "f", "where": {"colour": "red"}}], **INDEX_ONLY}, (), "unknown column 'colour'"),
        ({"filters": [{"name": "f", "where": {"brand": {"gt": 3}}}], **INDEX_ONLY}, (), "a range needs"),
        ({"filters": [{"name": "f", "keyword": "colour"}], **INDEX_ONLY}, (), "keyword: unknown column 'colour'"),
        ({}, ("--dataset", "fashion-mnits"), "dataset 'fashion-mnits' is neither known (fashion-mnist,"),
        ({}, ("--dataset", "nowhere/at/all"), "dataset 'nowhere/at/all' is neither known"),
        ({}, ("--engines", "hnws"), "--engines: hnws not in wrong.yaml (it has: bruteforce, hnsw)"),
        ({}, ("--rows", "0"), "--rows must be at least 1"),
        ({}, ("--rows", "301"), "rows: 301 asked for, but dataset 'mine' has 300"),
        ({}, ("--resume",), "holds no result.json"),
        ({"trial": 3}, (), "trial is not a known key"),
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
    assert all("no sign of life" in cell.error for cell in cells(result, engine="hanging"))
    assert not any(cell.error for cell in cells(result, engine="bruteforce"))


def test_failing_queries_leaks_ghosts_and_inexact_answers_are_counted(shell: Shell) -> None:
    names = ("Raising", "Leaking", "Forgetful", "Inexact")
    shell("run", shell.scenario("bad", trials=1, engines=[broken(name) for name in names]))
    result = read_result(shell.folder / "runs" / "latest")
    raising = cells(result, engine="raising", task="closed")[0]
    assert raising.metrics["errors"] >= raising.metrics["queries"] // 3 - 1 > 0
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


def wait_for_cells(run: Path, count: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (run / "result.json").exists() and len(read_result(run).measurements) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"fewer than {count} cells after two minutes")


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_keeps_its_cells_and_resumes(shell: Shell, number: signal.Signals) -> None:
    process = shell.start("run", "tiny.yaml", "--out", "runs/cut", start_new_session=True)
    run = shell.folder / "runs" / "cut"
    wait_for_cells(run, 3)
    children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does: Ctrl-C reaches every process of the run
    else:
        process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert gone(children)  # nothing outlives the run
    if number != signal.SIGKILL:
        assert process.returncode == 1
        assert "--resume" in err
    cut = read_result(run)
    assert cut.finished_at is None
    assert shell("report", "runs/cut").returncode == 0  # a report of what there is
    done = shell("run", "tiny.yaml", "--out", "runs/cut", "--resume")
    assert done.returncode == 0, done.stderr
    result = read_result(run)
    assert result.finished_at is not None
    assert len(result.measurements) == 24
    before = {cell.key: cell for cell in cut.measurements}
    after = {cell.key: cell for cell in result.measurements}
    assert len(after) == 24
    assert all(after[key] == cell for key, cell in before.items())


def test_a_run_of_another_scenario_cannot_be_resumed(finished: Any) -> None:
    shell, _ = finished
    done = shell("run", shell.scenario("other", k=3), "--resume")
    assert done.returncode == 104
    assert "its scenario is another one" in done.stderr


def cut(run: Path, task: str) -> RunResult:
    """Takes the cells of a task from a finished run, as if it had been killed before them."""
    result = read_result(run)
    left = [cell for cell in result.measurements if cell.task != task]
    result = result.model_copy(update={"measurements": left, "finished_at": None})
    write_result(run, result)
    return result


def test_a_run_is_not_resumed_on_another_version(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = shell.scenario("up", trials=1, engines=[broken("Upgradable"), {"engine": "bruteforce"}])
    monkeypatch.setenv("TEST_SERVER_VERSION", "1.0")
    assert shell("run", scenario, "--out", "runs/up").returncode == 0
    run = shell.folder / "runs" / "up"
    before = cut(run, "updates")
    monkeypatch.setenv("TEST_SERVER_VERSION", "2.0")
    done = shell("run", scenario, "--out", "runs/up", "--resume")
    after = read_result(run)
    assert [cell for cell in after.measurements if cell.task != "updates"] == before.measurements
    upgraded, kept = (cells(after, engine=label, kind="updates")[0] for label in ("upgradable", "bruteforce"))
    assert upgraded.metrics == {}
    assert "Server 1.0 then, Server 2.0 now" in upgraded.error
    assert kept.error is None
    assert "1 of" in done.stderr
    monkeypatch.setenv("TEST_SERVER_VERSION", "1.0")
    assert shell("run", scenario, "--out", "runs/up", "--resume").returncode == 0
    assert not [cell.error for cell in read_result(run).measurements if cell.error]
    other = before.model_copy(update={"environment": before.environment | {"python": "3.9.1"}})
    write_result(run, other)
    done = shell("run", scenario, "--out", "runs/up", "--resume")
    assert done.returncode == 104
    assert "its Python is another version: 3.9.1 then" in done.stderr
    assert read_result(run) == other


def test_two_runs_cannot_share_a_folder(shell: Shell) -> None:
    first = shell.start("run", "tiny.yaml", "--out", "runs/one")
    run = shell.folder / "runs" / "one"
    wait_for_cells(run, 1)
    second = shell("run", "tiny.yaml", "--out", "runs/one", "--resume")
    assert second.returncode == 104
    assert f"process {first.pid} on " in second.stderr
    assert shell("report", "runs/one").returncode == 0  # to read it is no harm
    first.communicate(timeout=120)
    assert first.returncode == 0
    result = read_result(run)
    assert len(result.measurements) == len({cell.key for cell in result.measurements}) == 24
    assert not [path.name for path in run.iterdir() if path.name in (".lock", "cells.jsonl")]


def test_resuming_a_finished_run_measures_nothing_again(finished: Any) -> None:
    shell, _ = finished
    before = read_result(shell.folder / "runs" / "latest")
    assert shell("run", "tiny.yaml", "--resume").returncode == 0
    assert read_result(shell.folder / "runs" / "latest").measurements == before.measurements


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
    for command in ("run", "report", "gate", "data", "engines", "calibrate"):
        done = shell(command, "--help")
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


def test_a_budget_that_is_short_shortens_windows_evenly_and_keeps_two_trials(shell: Shell) -> None:
    tasks = [{"task": "index"}, {"task": "search", "name": "long", "duration_s": 20, "warmup_s": 0}]
    name = shell.scenario("short", tasks=tasks, trials=3, budget_s=40, filters=[{"name": "none"}])
    start = time.monotonic()
    done = shell("run", name, "--engines", "bruteforce,hnsw")
    took_s = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    result = read_result(shell.folder / "runs" / "latest")
    searches = cells(result, kind="search")
    assert {cell.trial for cell in searches} >= {0}
    assert took_s < 2 * 3 * 20  # six windows of two engines in three trials, even without their overhead
    assert [note for note in result.notes if "of their length, for every engine alike" in note]
    if {cell.trial for cell in searches} == {0, 1}:
        assert [note for note in result.notes if "2 of 3 trials were run" in note]
    for trial in (0, 1):
        counts = {cell.engine for cell in searches if cell.trial == trial}
        assert len(counts) in (0, 2)
    assert result.finished_at is not None


def test_a_budget_that_is_used_up_ends_the_run_and_names_what_is_missing(shell: Shell) -> None:
    slow = {"engine": "tests.cli.broken_engines:SlowToIndex", "label": "slow"}
    name = shell.scenario("used-up", budget_s=3, engines=[slow, {"engine": "bruteforce"}])
    done = shell("run", name)
    assert done.returncode == 0, done.stderr
    result = read_result(shell.folder / "runs" / "latest")
    assert {cell.engine for cell in result.measurements} == {"slow"}
    assert [note for note in result.notes if "was used up within trial 1" in note and "of bruteforce" in note]
    decision = json.loads((shell.folder / "runs" / "latest" / "decision.json").read_text())
    assert decision["verdict"] != "pick"
