"""What the gate reports: rows with verdicts, and whether they let the change through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal[
    "ok",
    "improved",
    "regressed",
    "within noise",
    "noise unknown",
    "not comparable",
    "missing",
    "failed",
    "new",
    "broken",
]
FAILING: tuple[Verdict, ...] = ("regressed", "missing", "failed", "broken")
NOTABLE: tuple[Verdict, ...] = (*FAILING, "improved")
RECALL_TOLERANCE = 0.01  # absolute: a tenth of the recall would be far too much to lose unnoticed


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. where: the filter, or `all filters`. load: the offered rate.

    change: a ratio; of recall, a difference. baseline and current: means over trials in the metric's unit. low
    and high: the 95 % interval of the change, None where the trials carry none. p_value decides, corrected for
    the number of comparisons.
    """

    engine: str
    settings: str
    task: str
    where: str
    metric: str
    verdict: Verdict
    load: str = ""
    baseline: float | None = None
    current: float | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    note: str = ""

    @property
    def fails(self) -> bool:
        return self.verdict in FAILING

    @property
    def name(self) -> str:
        """What was compared, in one line."""
        return " · ".join(
            part for part in (self.engine, self.settings, self.task, self.where, self.load) if part
        )


@dataclass(frozen=True, slots=True)
class GateReport:
    """The comparison of two runs. forced: what differs between them although it was compared anyway."""

    baseline: str
    current: str
    rows: tuple[Row, ...]
    forced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        return any(row.fails for row in self.rows)

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        failing, runs = sum(row.fails for row in self.rows), f"{self.current} with {self.baseline}"
        if failing:
            return f"The gate failed: {failing} of {len(self.rows)} comparisons of {runs}."
        return f"The gate passed: {len(self.rows)} comparisons of {runs}."

    def counts(self) -> dict[str, int]:
        """How many rows have each verdict, the failing ones first."""
        order = [*FAILING, "improved", "ok", "within noise", "noise unknown", "new", "not comparable"]
        found = {name: sum(row.verdict == name for row in self.rows) for name in order}
        return {name: count for name, count in found.items() if count}
