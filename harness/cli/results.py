"""Commands that read results: `bakeoff report` and `bakeoff gate`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.printing.output import encodable, show, show_formatted
from harness.errors import BakeoffError, ConfigurationError, GateFailedError

if TYPE_CHECKING:
    from harness.results.result import RunResult
    from reports.decide.decision import Decision
    from reports.decide.evidence import Evidence


def report(options: argparse.Namespace) -> int:
    from harness.results.result import read_result

    run = Path(options.run)
    result = read_result(run)
    with refusing_damage(options.run):
        show_report(run, result, name_page=True)
    return 0


def show_report(run: Path, result: RunResult, *, page: bool = True, name_page: bool = False) -> None:
    """Writes decision, cells and, if `page`, the report, and shows the summary; the evidence is gathered once."""
    from harness.results.text import visible_in
    from reports.decide.decision import conclude
    from reports.decide.evidence import gather_evidence
    from reports.page.export import write_decision
    from reports.page.html import PAGE, write_page

    evidence = gather_evidence(visible_in(result))
    decision = conclude(evidence)
    folder = run if run.is_dir() else run.parent
    write_decision(folder, evidence, decision)
    if page:
        path = write_page(folder, evidence, decision)
        if name_page:
            show(str(path))
    else:
        (folder / PAGE).unlink(missing_ok=True)  # an older one would tell of another decision
    _show_summary(evidence, decision)


def _show_summary(evidence: Evidence, decision: Decision) -> None:
    from rich.console import Console

    from reports.page.summary import summary_table

    console = Console(width=None if sys.stdout.isatty() else 120)
    with console.capture() as capture:
        console.print(summary_table(evidence, decision, console.width, encodable))
    show_formatted(capture.get().rstrip("\n"))
    dataset = evidence.cells.result.dataset
    left_out = [f"filter {name}: left out: {reason}" for name, reason in dataset.get("skipped", {}).items()]
    for note in [*dataset.get("notes", []), *dataset.get("cautions", []), *left_out]:
        show(f"Data: {note}")


def gate(options: argparse.Namespace) -> int:
    from harness.results.result import read_result
    from harness.results.text import visible_in
    from reports.gate.compare import compare
    from reports.gate.output.junit import to_junit
    from reports.gate.output.markdown import to_markdown
    from reports.gate.output.text import to_text

    *baselines, current = (read_result(Path(run)) for run in (*options.baseline, options.current))
    with refusing_damage(" and ".join((*options.baseline, options.current))):
        verdict = compare(
            [visible_in(baseline) for baseline in baselines],
            visible_in(current),
            tolerance=options.tolerance,
            run_offset=options.run_offset,
            force=tuple(options.force or ()),
        )
        junit = to_junit(verdict, allow_inconclusive=options.allow_inconclusive)
        texts = [(options.markdown, "a", to_markdown(verdict)), (options.junit, "w", junit)]
    show(to_text(verdict))
    for target, mode, text in texts:
        if target:
            with Path(target).open(mode, encoding="utf-8") as file:
                file.write(text)
    if verdict.outcome == "failed":
        raise GateFailedError("the gate failed; see above")
    if verdict.outcome == "inconclusive" and not options.allow_inconclusive:
        raise GateFailedError(
            "the gate is inconclusive; measure more trials or on a quieter machine, or accept it with "
            "--allow-inconclusive"
        )
    return 0


@contextmanager
def refusing_damage(what: str) -> Iterator[None]:
    """Turns what reports raise on values that no run writes into a ConfigurationError.

    The parts that a scenario, a dataset or an engine fills in are not checked when a result is read: their keys differ
    from version to version.
    """
    import numpy as np

    try:
        with np.errstate(all="ignore"):  # figures near the end of float64: NumPy would warn in its own words
            yield
    except (BakeoffError, OSError, MemoryError):
        raise
    except Exception as error:
        raise ConfigurationError(_damaged(what, error)) from error


def _damaged(what: str, error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    return (
        f"{what}: holds values that no run of this version writes ({type(error).__name__}: {str(error)[:200]}, at "
        f"{place}). Take the file as it was written, or run the scenario again"
    )
