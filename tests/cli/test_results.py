"""`bakeoff results` from the command line: one finished run in every format."""

from __future__ import annotations

import io
import json
import os
import subprocess
from typing import Any

import pandas as pd
import pytest

from harness.results.result import read_result
from tests.cli.conftest import Shell

RUN = "runs/latest"


def test_cells_are_the_same_on_standard_output_in_a_file_and_beside_the_report(finished: Any) -> None:
    shell, _ = finished
    done = shell("results", RUN)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (shell.folder / RUN / "cells.csv").read_text()
    assert shell("results", f"{RUN}/result.json", "--out", "cells.parquet").returncode == 0
    cells = read_result(shell.folder / RUN).measurements
    frame = pd.read_parquet(shell.folder / "cells.parquet")
    assert frame["engine"].tolist() == [cell.engine for cell in cells]
    records = json.loads(shell("results", RUN, "--format", "json").stdout)
    assert [row["throughput_qps"] for row in records] == [
        cell.metrics.get("throughput_qps") for cell in cells
    ]
    shown = shell("results", RUN, "--format", "md").stdout
    assert "## Searches" in shown and "| bruteforce | closed | brand |" in shown
    assert shown.count("\n| ") == len(cells) + 2 * len({cell.kind for cell in cells})


def test_samples_name_their_cell_and_bear_out_its_figures(finished: Any) -> None:
    shell, _ = finished
    assert shell("results", RUN, "--samples", "--out", "samples.parquet").returncode == 0
    samples = pd.read_parquet(shell.folder / "samples.parquet")
    for number, own in samples.groupby("cell"):
        cell = read_result(shell.folder / RUN).measurements[int(str(number))]
        assert len(own) == cell.metrics["queries"]
        assert own["latency_ms"].max() == pytest.approx(cell.metrics["latency_max_ms"])
    text = shell("results", RUN, "--samples").stdout
    assert len(pd.read_csv(io.StringIO(text))) == len(samples)


def test_what_cannot_be_had_is_refused_with_a_remedy(finished: Any) -> None:
    shell, _ = finished
    for arguments, said in (
        (("nowhere",), "nowhere"),
        ((RUN, "--format", "xml"), "--format"),
        ((RUN, "--samples", "--format", "md"), "add --format csv"),
        ((RUN, "--samples", "--out", "a.md"), "add --format csv"),
        ((RUN, "--out", ""), "--out"),
        (
            (RUN, "--out", "missing/a.csv"),
            "--out missing/a.csv: there is no folder missing; make it, or name",
        ),
        (
            (RUN, "--out", "mine", "--format", "csv"),
            "--out mine: is a folder; name a file, such as mine/cells.csv",
        ),
        ((RUN, "--out", "a.xlsx"), "end the name in one of them, or say which with --format"),
    ):
        done = shell("results", *arguments)
        assert (done.returncode, done.stdout) == (104, ""), arguments
        assert said in done.stderr
        assert "--resume" not in done.stderr


def test_parquet_goes_into_a_pipe_and_to_no_terminal(finished: Any) -> None:
    shell, _ = finished
    ours, theirs = os.openpty()
    command = shell.command("results", RUN, "--format", "parquet")
    options: dict[str, Any] = {"cwd": shell.folder, "env": shell.environment()}
    done = subprocess.run(command, check=False, stdout=theirs, stderr=subprocess.PIPE, text=True, **options)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 104
    assert "--out" in done.stderr
    piped = subprocess.run(command, capture_output=True, check=True, **options)
    assert len(pd.read_parquet(io.BytesIO(piped.stdout))) > 10


def test_a_reader_that_ends_early_ends_nothing(finished: Any) -> None:
    shell, _ = finished
    command = " ".join(shell.command("results", RUN, "--samples"))
    script = f"set -o pipefail; {command} | head -1"
    done = subprocess.run(
        ["bash", "-c", script],
        check=False,
        cwd=shell.folder,
        env=shell.environment(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("run,cell,engine")


def test_a_run_that_is_not_complete_gives_what_it_has(shell: Shell, finished: Any) -> None:
    whole = json.loads((finished[0].folder / RUN / "result.json").read_text())
    cut = whole | {"finished_at": None, "measurements": whole["measurements"][:2]}
    (shell.folder / "cut").mkdir()
    (shell.folder / "cut" / "result.json").write_text(json.dumps(cut))
    done = shell("results", "cut")
    assert done.returncode == 0
    assert "is not complete" in done.stderr
    assert len(pd.read_csv(io.StringIO(done.stdout))) == 2
    missing = shell(
        "results", "cut", "--samples", "--out", "none.csv"
    )  # the folder lacks the files of samples
    assert missing.returncode == 104
    assert "Copy the folder of the run as a whole" in missing.stderr
    assert not (shell.folder / "none.csv").exists()
