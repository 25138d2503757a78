"""Commands that read results: `bakeoff report` and `bakeoff gate`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import GateFailedError

if TYPE_CHECKING:
    from harness.results.result import RunResult


def report(options: argparse.Namespace) -> int:
    from harness.results.result import read_result

    run = Path(options.run)
    result = read_result(run)
    print(write_run_report(run))
    print_summary(result)
    return 0


def write_run_report(run: Path) -> Path:
    from reports.page.html import write_report

    return write_report(run)


def print_summary(result: RunResult) -> None:
    from rich.console import Console

    from reports.page.summary import summary_table

    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(summary_table(result, console.width))
    left_out = [
        f"filter {name}: left out: {reason}" for name, reason in result.dataset.get("skipped", {}).items()
    ]
    for note in [*result.dataset.get("notes", []), *left_out]:
        console.print(f"Data: {note}", markup=False, highlight=False)


def gate(options: argparse.Namespace) -> int:
    from harness.results.result import read_result
    from reports.gate.compare import compare, to_junit, to_markdown, to_text

    verdict = compare(
        read_result(Path(options.baseline)),
        read_result(Path(options.current)),
        tolerance=options.tolerance / 100,
        force=tuple(options.force or ()),
    )
    print(to_text(verdict))
    for target, render in ((options.markdown, to_markdown), (options.junit, to_junit)):
        if target:
            with Path(target).open("a" if render is to_markdown else "w", encoding="utf-8") as file:
                file.write(render(verdict))
    if verdict.failed:
        raise GateFailedError("the gate failed; see above")
    return 0
