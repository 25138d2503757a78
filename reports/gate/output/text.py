"""The gate's report for a terminal."""

from __future__ import annotations

from reports.gate.findings import GateReport
from reports.gate.output.words import SHOWN, finding_text, notable, sensitivity, tally


def to_text(report: GateReport) -> str:
    """What is notable, what would have been noticed, and the verdict."""
    lines = [f"compared although {text}" for text in report.forced] + [*report.notes]
    rows = notable(report)
    lines += [f"{row.verdict:14} {row.name}: {finding_text(row)}" for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        lines.append(f"... and {len(rows) - SHOWN:,} more of these; --junit writes every one")
    if table := sensitivity(report):
        lines.append("Smallest change that would have failed, in the quietest and the noisiest comparison:")
        width = max(len(label) for label, *_ in table)
        lines += [f"  {label:{width}}  {low} to {high}" for label, low, high, _ in table]
    return "\n".join([*lines, tally(report), report.sentence])
