"""Every cell of a run as a CSV file, for spreadsheets and for runs that are too large for a page."""

from __future__ import annotations

from pathlib import Path

from harness.results.files import replacing
from reports.decide.cells import Cells


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
