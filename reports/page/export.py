"""What is written of a run beside its page: the decision, and every cell as a CSV file, for spreadsheets and for runs
that are too large for a page.
"""

from __future__ import annotations

from pathlib import Path

from harness.results.files import replacing, write_json
from reports.decide.cells import Cells
from reports.decide.decision import Decision
from reports.decide.evidence import Evidence


def write_decision(folder: Path, evidence: Evidence, decision: Decision) -> None:
    """Writes decision.json and cells.csv. Raises MeasurementError."""
    write_json(folder / "decision.json", decision.model_dump(mode="json"))
    write_cells(folder / "cells.csv", evidence.cells)


def write_cells(path: Path, cells: Cells) -> None:
    """One row a cell in the order of the run: what it is, then its metrics, and why some are missing.

    Columns as in `harness.results.frame.cells_frame`; flags and reasons are joined to one text each. Raises
    MeasurementError.
    """
    frame = cells.frame.assign(
        flags=["; ".join(flags) for flags in cells.frame["flags"]],
        missing=[
            "; ".join(f"{metric}: {reason}" for metric, reason in cell.reasons.items())
            for cell in cells.result.measurements
        ],
    )
    with replacing(path) as file:
        frame.to_csv(file, index=False, lineterminator="\n")
