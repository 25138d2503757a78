"""What is wrong with the values of a matrix, found while it is read block by block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engines.base import Metric
from harness.data.stored.arrays import LONGEST, SHORTEST

_SHOWN = 3  # examples of each kind of fault


@dataclass(slots=True)
class _Rows:
    """Rows with one kind of fault: how many, and the first few of them in words."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, rows: npt.NDArray[np.int64], words: list[str]) -> None:
        self.count += len(rows)
        self.first += words[: _SHOWN - len(self.first)]

    def __str__(self) -> str:
        return ", ".join(self.first)


@dataclass(slots=True)
class Faults:
    """Collects NaN and infinity, lengths whose squares float32 cannot hold, and, under cosine, zero vectors.

    place: where a row stands, in words.
    """

    metric: Metric | None
    place: Callable[[int], str] = "row {}".format
    values: int = 0
    not_finite: _Rows = field(default_factory=_Rows)
    zero: _Rows = field(default_factory=_Rows)
    long: _Rows = field(default_factory=_Rows)
    short: _Rows = field(default_factory=_Rows)

    def examine(self, block: npt.NDArray[np.float32], start: int) -> None:
        """Examines the next rows float32[m, dim], of which the first is row `start`."""
        bad = ~np.isfinite(block)
        if bad.any():
            rows = np.flatnonzero(bad.any(axis=1))
            self.values += int(bad.sum())
            columns = bad[rows].argmax(axis=1)
            pairs = list(zip(rows[:_SHOWN].tolist(), columns[:_SHOWN].tolist(), strict=True))
            self.not_finite.add(
                rows, [f"{self.place(start + r)} column {c} is {block[r, c]}" for r, c in pairs]
            )
        # A dot product in float64 of float32 values neither over- nor underflows.
        lengths = np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64))
        if self.metric == "cosine":
            rows = np.flatnonzero(lengths == 0)
            self.zero.add(rows, [self.place(start + row) for row in rows[:_SHOWN].tolist()])
        for kind, found in (
            (self.long, np.isfinite(lengths) & (lengths >= LONGEST)),
            (self.short, (lengths > 0) & (lengths < SHORTEST)),
        ):
            rows = np.flatnonzero(found)
            kind.add(
                rows,
                [
                    f"{self.place(start + row)} has length {lengths[row]:.3g}"
                    for row in rows[:_SHOWN].tolist()
                ],
            )

    def problems(self, label: str) -> list[str]:
        """One line a kind of fault, with the first rows that have it."""
        found = []
        if self.values:
            found.append(
                f"{label}: {self.not_finite} ({self.values:,} such values in "
                f"{self.not_finite.count:,} rows; rows and columns count from 0); repair or remove these rows"
            )
        if self.zero.count:
            found.append(
                f"{label}: {self.zero} is a zero vector ({self.zero.count:,} in all), which has no direction; "
                "remove it, or set metric to l2 or ip"
            )
        if self.long.count:
            found.append(
                f"{label}: {self.long} ({self.long.count:,} such rows; rows count from 0): from {LONGEST:.1e} on, "
                "squares and their sums overflow float32; divide vectors and queries by one constant, or repair it"
            )
        if self.short.count:
            found.append(
                f"{label}: {self.short} ({self.short.count:,} such rows; rows count from 0): below {SHORTEST:.1e}, "
                "squares underflow float32 to 0; multiply vectors and queries by one constant, or set these rows to 0 "
                "(not under cosine)"
            )
        return found
