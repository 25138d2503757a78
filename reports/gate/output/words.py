"""The gate's findings in words, the same in all three forms."""

from __future__ import annotations

import math

from harness.results.metrics import spec
from reports.gate.findings import FAILING, Finding, GateReport
from reports.gate.tolerance import is_difference
from reports.wording import listing, number, quantity

SHOWN = 50  # rows of a list that is read by people
_MANY = 1e6  # a ratio beyond which digits mean nothing


def notable(report: GateReport) -> list[Finding]:
    """Failing findings first, then what makes the gate inconclusive, then improvements.

    Findings on single cells that a finding over all cells covers are left out.
    """
    stood_for = {(_shared(finding), finding.verdict) for finding in report.findings if finding.over_cells}
    order = (*FAILING, "inconclusive", "improved")
    rows = [
        finding
        for finding in report.findings
        if finding.verdict in order
        and (finding.decides or finding.verdict != "inconclusive")
        and (finding.over_cells or (_shared(finding), finding.verdict) not in stood_for)
    ]
    return sorted(rows, key=lambda finding: order.index(finding.verdict))


def _shared(finding: Finding) -> tuple[str, ...]:
    """The key that a finding over all cells shares with those on single cells."""
    return finding.engine, finding.task, finding.load, finding.metric


def change_text(finding: Finding) -> str:
    """`-22.8 % (at best -14.1 %)`, or for recall `-0.013 (at best -0.011)`: with the end of the interval that decided,
    both where it left the verdict open.
    """
    if finding.change is None:
        return ""
    head = _change(finding.metric, finding.change)
    ends = {"at best": finding.at_best, "at worst": finding.at_worst}
    if finding.verdict in ("ok", "improved"):
        del ends["at best"]
    elif finding.verdict == "regressed":
        del ends["at worst"]
    texts = {name: _change(finding.metric, end) for name, end in ends.items() if end is not None}
    shown = [f"{name} {text}" for name, text in texts.items() if text != head]
    return f"{head} ({', '.join(shown)})" if shown else head


def caught_text(finding: Finding) -> str:
    """The smallest change for the worse that would have failed."""
    return "" if finding.caught is None else _change(finding.metric, finding.caught)


def _change(metric: str, change: float) -> str:
    """A change with its sign; ratios beyond a factor of two as such, beyond a million without digits."""
    if is_difference(metric):
        return f"{change:+.3f}"
    if change >= _MANY:
        return "over a million times as much"
    if change <= 1 / _MANY:
        return "less than a millionth"
    if change >= 2:
        return f"{number(change)} times as much"
    if change < 0.01:
        return f"1/{number(1 / change)} of it"
    return f"{(change - 1) * 100:+.1f} %"


def finding_text(finding: Finding) -> str:
    """What was found, in one line, without the cells that it concerns."""
    if finding.baseline is None or finding.current is None:
        return f"{spec(finding.metric).label}: {finding.note}" if finding.metric else finding.note
    values = " -> ".join(quantity(finding.metric, value) for value in (finding.baseline, finding.current))
    return ", ".join(part for part in (f"{spec(finding.metric).label} {values}", detail(finding)) if part)


def detail(finding: Finding) -> str:
    """Change, note, and what would have been caught where that is of interest."""
    parts = [change_text(finding), finding.note]
    if finding.verdict not in FAILING and (caught := caught_text(finding)):
        parts.append(f"would have failed from {caught}")
    return ", ".join(part for part in parts if part)


def tally(report: GateReport) -> str:
    """`2 regressed, 5 improved and 140 ok`."""
    return (
        listing([f"{count:,} {verdict}" for verdict, count in report.counts().items()])
        or "nothing to compare"
    )


def sensitivity(report: GateReport) -> list[tuple[str, str, str, int]]:
    """By metric: label, the smallest and the largest change that would have failed, and of how many figures."""
    by_metric: dict[str, list[Finding]] = {}
    for finding in report.findings:
        if finding.caught is not None and math.isfinite(finding.caught):
            by_metric.setdefault(finding.metric, []).append(finding)
    rows = []
    for metric, found in by_metric.items():
        ordered = sorted(found, key=lambda finding: abs(_distance(finding)))
        texts = [caught_text(ordered[0]), caught_text(ordered[-1])]
        rows.append((spec(metric).label, texts[0], texts[1], len(found)))
    return rows


def _distance(finding: Finding) -> float:
    assert finding.caught is not None
    return finding.caught if is_difference(finding.metric) else math.log(max(finding.caught, 1e-300))
