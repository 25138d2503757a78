"""What the gate reports: findings with verdicts, and whether the change passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingVerdict = Literal[
    "ok",
    "improved",
    "regressed",
    "within noise",
    "inconclusive",
    "not comparable",
    "missing",
    "failed",
    "new",
    "broken",
]
Outcome = Literal["passed", "failed", "inconclusive"]
FAILING: tuple[FindingVerdict, ...] = ("broken", "failed", "missing", "regressed")
JUDGED: tuple[FindingVerdict, ...] = (*FAILING, "improved", "ok", "within noise")
_ORDER: tuple[FindingVerdict, ...] = (
    *FAILING,
    "inconclusive",
    "improved",
    "ok",
    "within noise",
    "new",
    "not comparable",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison.

    settings, filter: of one cell, or what a finding over several cells covers (`all settings`, `all filters`); there
    `over_cells` is true. load: the offered rate. baseline, current: means over trials in the metric's unit; of counts,
    events. change: a ratio (of counts, between rates); of recall, a difference. at_best, at_worst: the ends of its
    one-sided intervals, corrected for the number of comparisons; what is at best worse than the tolerance has
    regressed. caught: the smallest change for the worse that would have failed. None where there is no such value.
    decides: whether the gate is inconclusive if this finding is; not so where a finding over all cells covers it.
    """

    engine: str
    settings: str
    task: str
    filter: str
    metric: str
    verdict: FindingVerdict
    load: str = ""
    baseline: float | None = None
    current: float | None = None
    change: float | None = None
    at_best: float | None = None
    at_worst: float | None = None
    caught: float | None = None
    note: str = ""
    over_cells: bool = False
    decides: bool = True

    @property
    def fails(self) -> bool:
        return self.verdict in FAILING

    @property
    def name(self) -> str:
        """What was compared, in one line."""
        parts = (self.engine, self.settings, self.task, self.filter, self.load)
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class GateReport:
    """The comparison of a run with its baselines. forced: what differs between them although it was compared anyway."""

    baselines: tuple[str, ...]
    current: str
    findings: tuple[Finding, ...]
    forced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """Failed: something is surely worse. Inconclusive: nothing is, but some of it could not be judged."""
        if any(finding.fails for finding in self.findings):
            return "failed"
        measured = any(finding.metric and finding.verdict in JUDGED for finding in self.findings)
        return "inconclusive" if self.undecided or not measured else "passed"

    @property
    def undecided(self) -> int:
        """How many findings make the gate inconclusive."""
        return sum(finding.verdict == "inconclusive" and finding.decides for finding in self.findings)

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        runs = f"{self.current} with {', '.join(self.baselines)}"
        total = f"{len(self.findings):,} comparisons of {runs}"
        if self.outcome == "failed":
            return f"The gate failed: {sum(finding.fails for finding in self.findings):,} of {total}."
        if self.outcome == "passed":
            return f"The gate passed: {total}."
        if not self.undecided:
            return f"The gate is inconclusive: no figure of {runs} could be compared."
        return f"The gate is inconclusive: noise is too large to judge {self.undecided:,} of {total}."

    def counts(self) -> dict[str, int]:
        """How many findings have each verdict, the failing ones first."""
        found = {name: sum(finding.verdict == name for finding in self.findings) for name in _ORDER}
        return {name: count for name, count in found.items() if count}
