"""Writes what a run leaves behind: cell by cell while it is under way, as one file when it has ended.

While a run is under way, `result.json` holds all but the cells, and says so; the cells are in `cells.jsonl` beside it,
one a line. To save a cell costs one line, however many came before. When the run ends, `result.json` is written with
its cells, and `cells.jsonl` goes. If the run is killed before that, the two files together hold what was measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.results.files import append_line, write_parts
from harness.results.result import CELLS, CELLS_KEY, RESULT, Measurement, RunResult


class ResultWriter:
    """Saves a run that is under way."""

    def __init__(self, run: Path, result: RunResult) -> None:
        """Writes the first files: a new run's header, or a resumed run's header and the cells that it keeps.

        Raises MeasurementError; what the folder held before is then still there.
        """
        self.run = run
        # The cells first: the file that names them must never come before them.
        write_parts(run / CELLS, (f"{_line(cell)}\n" for cell in result.measurements))
        self.save_header(result)

    def save_header(self, result: RunResult) -> None:
        """Saves everything but the cells. Raises MeasurementError."""
        header = _header(result) | {CELLS_KEY: CELLS}
        write_parts(self.run / RESULT, (_dumps(header, indent=1), "\n"))

    def save_cell(self, cell: Measurement) -> None:
        """Saves one more cell. Raises MeasurementError."""
        append_line(self.run / CELLS, _line(cell))

    def close(self, result: RunResult) -> None:
        """Writes everything as one file. Raises MeasurementError; the two files are then left as they are."""
        write_result(self.run, result)
        (self.run / CELLS).unlink(missing_ok=True)


def write_result(run: Path, result: RunResult) -> None:
    """Writes `run/result.json` as a whole, one cell a line. Raises MeasurementError."""
    write_parts(run / RESULT, _result_text(result))


def _result_text(result: RunResult) -> Iterator[str]:
    yield _dumps(_header(result), indent=1).removesuffix("\n}")
    yield ',\n "measurements": ['
    for number, cell in enumerate(result.measurements):
        yield f"{',' if number else ''}\n  {_line(cell)}"
    yield "\n ]\n}\n"


def _header(result: RunResult) -> dict[str, Any]:
    return result.model_dump(mode="json", exclude={"measurements"})


def _line(cell: Measurement) -> str:
    return _dumps(cell.model_dump(mode="json"))


def _dumps(data: Any, indent: int | None = None) -> str:
    return json.dumps(data, indent=indent, allow_nan=False)
