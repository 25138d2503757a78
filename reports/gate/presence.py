"""What was measured on one side only, and what failed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reports.gate.findings import Finding, FindingVerdict
from reports.gate.matching import Bools, MatchedCells


def presence_findings(cells: MatchedCells) -> tuple[list[Finding], Bools]:
    """Findings for engines and cells that are gone, new, or fail in more of their trials than before; and bool[keys],
    which keys have figures on both sides.

    What any of the baselines measured has to be measured. What failed in all trials of all baselines is not compared.
    """
    failing = cells.cells[cells.cells["error"].notna()]
    counts, errors = cells.counted(cells.cells), cells.counted(failing)
    before, after = counts[:, :-1].sum(axis=1), counts[:, -1]
    broken_before, broken_after = errors[:, :-1].sum(axis=1), errors[:, -1]
    names = cells.keys["engine"].to_numpy(dtype=object)
    known, now = set(names[before > 0]), set(names[after > 0])
    sides: tuple[tuple[set[str], FindingVerdict, str], ...] = (
        (known - now, "missing", "the engine was not measured"),
        (now - known, "new", "not in the baseline"),
    )
    found = [
        Finding(engine, "", "", "", "", verdict, note=note)
        for engines, verdict, note in sides
        for engine in sorted(engines)
    ]
    both = cells.keys["engine"].isin(known & now).to_numpy()

    def add(rows: Bools, verdict: FindingVerdict, note: dict[int, str] | str) -> None:
        for key in np.flatnonzero(rows & both):
            text = note if isinstance(note, str) else note[int(key)]
            found.append(Finding(**cells.labels[key], metric="", verdict=verdict, note=text))

    last = cells.runs - 1
    worse = (broken_after > 0) & (before > 0) & (broken_after * before > broken_before * after)
    never = ~worse & (after > 0) & (before > 0) & (broken_before == before)
    add((after == 0) & (before > 0), "missing", "not in the current run")
    add(worse, "failed", _first_errors(cells, failing["run"] == last, "trial {}: {}"))
    add(never, "not comparable", _first_errors(cells, failing["run"] < last, "failed in the baseline: {1}"))
    add((before == 0) & (after > 0), "new", "not in the baseline")
    return found, both & (before > 0) & (after > 0) & ~worse & ~never


def _first_errors(cells: MatchedCells, rows: pd.Series, text: str) -> dict[int, str]:
    """The first error of each key among these cells, filled into the text with its trial."""
    first = cells.cells.loc[rows[rows].index].drop_duplicates("key")
    columns = (first["key"], first["trial"], first["error"])
    return {int(key): text.format(trial + 1, error) for key, trial, error in zip(*columns, strict=True)}
