"""A run whose mix comes from a log of queries, and whose objective is a latency under an offered rate."""

from __future__ import annotations

import json

from harness.results.result import read_result
from tests.cli.conftest import Shell

OFFERED = {"task": "search", "name": "open", "executor": "arrival_rate", "rate": [50, 100], "duration_s": 0.3,
           "warmup_s": 0, "params": "all"}  # fmt: skip


def test_a_scenario_with_offered_rates_only_is_decided_over_the_mix_of_a_log(shell: Shell) -> None:
    log = shell.folder / "log.jsonl"
    log.write_text('{}\n{}\n{}\n{"brand": "b1"}\n')
    name = shell.scenario(
        "offered",
        engines=[{"engine": "bruteforce"}],
        tasks=[{"task": "index"}, OFFERED],
        decision={
            "requirements": ["recall >= 0.9"],
            "objective": "min latency.p50",
            "weights_from": "log.jsonl",
        },
    )
    done = shell("run", name, "--out", "out")
    assert done.returncode == 0, done.stderr
    result = read_result(shell.folder / "out")
    assert result.scenario["decision"]["weights"] == {"none": 0.75, "brand": 0.25}
    (note,) = result.notes
    assert note.endswith(
        "4 queries: 3 counted for the filter that they equal, 1 for the one with the nearest selectivity "
        "(none 3, brand 1)."
    )
    decision = json.loads((shell.folder / "out" / "decision.json").read_text())
    assert decision["leader"]["engine"] == "bruteforce"
    assert "its P50 latency is" in decision["sentence"]
    assert "at 100 queries/s over the scenario's mix of the 2 filters" in decision["sentence"]
    assert "P50 latency at 100 queries/s" in done.stdout
    # The report works from the result alone; a changed log is another scenario.
    log.write_text("{}\n")
    again = shell("report", "out")
    assert again.returncode == 0, again.stderr
    assert json.loads((shell.folder / "out" / "decision.json").read_text()) == decision
    resumed = shell("run", name, "--out", "out", "--resume")
    assert resumed.returncode == 104
    assert "scenario is another one" in resumed.stderr


def test_a_log_that_does_not_fit_the_data_is_refused_before_anything_is_measured(shell: Shell) -> None:
    (shell.folder / "log.jsonl").write_text('{}\n{"colour": "red"}\n')
    name = shell.scenario("faulty", decision={"weights_from": "log.jsonl"})
    done = shell("run", name, "--out", "out")
    assert done.returncode == 104
    assert "faulty.yaml: decision.weights_from: log.jsonl: line 2: " in done.stderr
    assert not (shell.folder / "out").exists()
