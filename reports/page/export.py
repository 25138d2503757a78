"""What is written of a run beside its page: the decision, and every cell as a CSV file, for spreadsheets and for runs
that are too large for a page.
"""

from __future__ import annotations

from pathlib import Path

from harness.results.files import replacing, write_json
from harness.results.result import RunResult
from harness.results.tables.cells import cells_table
from reports.decide.cells import Cells
from reports.decide.decision import Decision
from reports.decide.evidence import Evidence
from reports.markdown import escaped, table
from reports.page.tables.cell_table import cell_tables


def write_decision(folder: Path, evidence: Evidence, decision: Decision) -> None:
    """Writes decision.json and cells.csv. Raises MeasurementError."""
    write_json(folder / "decision.json", decision.model_dump(mode="json"))
    write_cells(folder / "cells.csv", evidence.cells)


def write_cells(path: Path, cells: Cells) -> None:
    """The rows of `harness.results.tables.cells.cells_table`. Raises MeasurementError."""
    with replacing(path) as file:
        cells_table(cells.result, cells.frame).to_csv(file, index=False, lineterminator="\n")


def cells_markdown(result: RunResult) -> str:
    """Every cell as Markdown, rounded as on the page: a table for each kind of task."""
    lines = [f"# {escaped(result.name)}"]
    for kind in cell_tables(result.measurements, most=len(result.measurements)):
        head = ("engine", *kind.head, *kind.metrics, "errors, flags, what is missing")
        rows = [(row.engine, *row.head, *row.values, row.remark) for row in kind.rows]
        lines += ["", f"## {kind.title}", ""]
        if kind.left_out:
            lines += [escaped(" ".join(kind.left_out)), ""]
        lines += [*table(head, rows, texts=1 + len(kind.head))]
    return "\n".join(lines) + "\n"
