"""The gate's report as Markdown, for the summary of a CI run."""

from __future__ import annotations

from collections.abc import Sequence

from harness.results.metrics import spec
from reports.gate.findings import Finding, GateReport
from reports.gate.output.words import SHOWN, detail, notable, sensitivity, tally
from reports.markdown import escaped
from reports.wording import quantity

_MARKS = {"passed": "✅", "failed": "❌", "inconclusive": "⚠️"}
_HEAD = ["", "| verdict | what | change | baseline | current |", "|---|---|---|---:|---:|"]


def to_markdown(report: GateReport) -> str:
    """The verdict first, then the notable findings; what is open and what would have been noticed is folded away."""
    parts = [f"## {_MARKS[report.outcome]} {escaped(report.sentence)}", ""]
    parts += [f"> **Compared although** {escaped(text)}" for text in report.forced]
    parts += [f"> {escaped(note)}" for note in report.notes]
    rows = notable(report)
    if rows:
        parts += [*_HEAD, *(_row(row) for row in rows[:SHOWN])]
        if len(rows) > SHOWN:
            parts += ["", f"... and {len(rows) - SHOWN:,} more."]
    shown = set(map(id, rows))
    unsure = ("within noise", "inconclusive", "not comparable", "new")
    rest = [row for row in report.findings if row.verdict in unsure and id(row) not in shown]
    if rest:
        title = f"{len(rest):,} changes within noise, or not comparable"
        parts += _folded(title, [*_HEAD, *(_row(row) for row in rest[:SHOWN])])
    if table := sensitivity(report):
        lines = ["", "| metric | quietest | noisiest | comparisons |", "|---|---|---|---:|"]
        lines += ["| " + " | ".join(map(escaped, map(str, row))) + " |" for row in table]
        parts += _folded("The smallest change that would have failed", lines)
    return "\n".join([*parts, "", escaped(tally(report)), "", ""])


def _folded(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"<details><summary>{title}</summary>", *lines, "", "</details>"]


def _row(row: Finding) -> str:
    what = f"{row.name} · {spec(row.metric).label}" if row.metric else row.name
    values = [
        quantity(row.metric, value) if value is not None else "" for value in (row.baseline, row.current)
    ]
    bold = f"**{row.verdict}**" if row.fails else row.verdict
    return "| " + " | ".join([bold, escaped(what), escaped(detail(row)), *values]) + " |"
