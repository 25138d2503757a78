"""An engine by itself and behind the service, in one run."""

from __future__ import annotations

import json
from typing import Any

from harness.results.result import read_result
from tests.cli.conftest import Shell

TASKS: list[dict[str, Any]] = [
    {"task": "index"},
    {"task": "search", "name": "closed", "duration_s": 0.1, "warmup_s": 0},
    {
        "task": "search",
        "name": "open",
        "executor": "arrival_rate",
        "rate": 100,
        "duration_s": 0.3,
        "warmup_s": 0,
    },
    {"task": "updates", "upserts": 20, "deletes": 20},
]
ENGINES: list[dict[str, Any]] = [
    {"engine": "faiss", "label": "bare", "search": {"efSearch": 64}},
    {
        "engine": "http-service",
        "label": "served",
        "index": {"engine": "faiss", "search": {"efSearch": 64}},
    },
]


def test_a_run_tells_what_the_service_adds(shell: Shell) -> None:
    done = shell("run", shell.scenario("pair", engines=ENGINES, tasks=TASKS, trials=1), "--out", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "served adds to bare, filter brand at 100/s: P50 " in " ".join(done.stdout.split())
    result = read_result(shell.folder / "out")
    served = [cell for cell in result.measurements if cell.engine == "served"]
    assert [(cell.task, cell.error) for cell in served if cell.error] == []
    for cell in served:
        if cell.kind in ("search", "updates"):
            assert cell.metrics["recall_at_5"] == 1.0
            assert cell.metrics["violations"] == cell.metrics["errors"] == 0
    # The service's process is among what the engine used.
    memory = {cell.engine: cell.metrics["rss_bytes"] for cell in result.measurements if cell.kind == "index"}
    assert memory["served"] > memory["bare"] + (20 << 20)  # type: ignore[operator]
    decision = json.loads((shell.folder / "out" / "decision.json").read_text())
    assert {one["engine"] for one in decision["standings"]} == {"bare", "served"}
