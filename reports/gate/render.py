"""The gate's report as Markdown for a CI summary, as JUnit XML, and as text for a terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

from harness.results.metrics import spec
from reports.gate.rows import NOTABLE, GateReport, Row
from reports.wording import listing, quantity

# What the rows of one setting, task, load and metric do not share.
_BLANK: dict[str, Any] = dict.fromkeys(("baseline", "current", "change", "low", "high", "p_value")) | {
    "where": ""
}
_SHOWN = 50  # rows of a table that is read by people
_INVALID_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_text(report: GateReport) -> str:
    """The notable rows and the verdict, for a terminal."""
    lines = [f"compared although {text}" for text in report.forced] + [*report.notes]
    notable = _notable(report)
    lines += [f"{row.verdict:14} {row.name}: {_finding(row)}" for row in notable[:_SHOWN]]
    if len(notable) > _SHOWN:
        lines.append(f"... and {len(notable) - _SHOWN} more of these; --junit writes every row")
    return "\n".join([*lines, _tally(report), report.sentence])


def to_markdown(report: GateReport) -> str:
    """The verdict first, then the notable rows; the rest is counted."""
    mark = "❌" if report.failed else "✅"
    parts = [f"## {mark} {_escape(report.sentence)}", ""]
    parts += [f"> **Compared although** {_escape(text)}" for text in report.forced]
    parts += [f"> {_escape(note)}" for note in report.notes]
    notable = _notable(report)
    if notable:
        parts += ["", "| verdict | what | change | baseline | current |", "|---|---|---|---:|---:|"]
        parts += [_markdown_row(row) for row in notable[:_SHOWN]]
        if len(notable) > _SHOWN:
            parts += ["", f"... and {len(notable) - _SHOWN} more."]
    open_rows = [row for row in report.rows if row.verdict in ("within noise", "not comparable", "new")]
    if open_rows:
        parts += [
            "",
            f"<details><summary>{len(open_rows)} changes within noise, or not comparable</summary>",
            "",
        ]
        parts += ["| verdict | what | change | baseline | current |", "|---|---|---|---:|---:|"]
        parts += [_markdown_row(row) for row in open_rows[:_SHOWN]]
        parts += ["", "</details>"]
    return "\n".join([*parts, "", _escape(_tally(report)), "", ""])


def to_junit(report: GateReport) -> str:
    """One test case a row; failures carry the finding, rows that could not be judged are skipped."""
    root = ET.Element("testsuites", name="bakeoff gate")
    engines = list(dict.fromkeys(row.engine for row in report.rows))
    for engine in engines:
        rows = [row for row in report.rows if row.engine == engine]
        skipped = [row for row in rows if _skipped(row)]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_clean(engine),
            tests=str(len(rows)),
            failures=str(sum(row.fails for row in rows)),
            errors="0",
            skipped=str(len(skipped)),
        )
        for row in rows:
            label = (
                " · ".join(part for part in (row.settings, row.where, row.load, row.metric) if part)
                or row.task
                or engine
            )
            case = ET.SubElement(
                suite,
                "testcase",
                classname=_clean(f"{engine}.{row.task or 'engine'}"),
                name=_clean(label),
                time="0",
            )
            if row.fails:
                ET.SubElement(case, "failure", type=row.verdict, message=_clean(_finding(row)))
            elif _skipped(row):
                ET.SubElement(case, "skipped", message=_clean(f"{row.verdict}: {_finding(row)}"))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _skipped(row: Row) -> bool:
    return row.verdict in ("noise unknown", "not comparable", "new")


def _notable(report: GateReport) -> list[Row]:
    """Failing rows first, then improvements. What holds over all filters is not repeated filter by filter."""
    whole = {replace(row, **_BLANK) for row in report.rows if row.where == "all filters"}
    rows = [
        row
        for row in report.rows
        if row.verdict in NOTABLE and (row.where == "all filters" or replace(row, **_BLANK) not in whole)
    ]
    return sorted(rows, key=lambda row: NOTABLE.index(row.verdict) if not row.fails else -1)


def _tally(report: GateReport) -> str:
    return (
        listing([f"{count} {verdict}" for verdict, count in report.counts().items()]) or "nothing to compare"
    )


def change_text(row: Row) -> str:
    """`-22 % (-25 to -19)`, or for recall `-0.013 (-0.015 to -0.011)`."""
    if row.change is None:
        return ""
    recall = row.metric.startswith("recall_at_")
    bounds = [row.change, *(() if row.low is None or row.high is None else (row.low, row.high))]
    texts = [f"{bound:+.3f}" if recall else f"{(bound - 1) * 100:+.1f}" for bound in bounds]
    head = texts[0] if recall else f"{texts[0]} %"
    return head if len(texts) == 1 else f"{head} ({texts[1]} to {texts[2]})"


def _finding(row: Row) -> str:
    if row.baseline is None or row.current is None:
        return f"{spec(row.metric).label}: {row.note}" if row.metric else row.note
    values = f"{quantity(row.metric, row.baseline)} -> {quantity(row.metric, row.current)}"
    extra = ", ".join(part for part in (change_text(row), row.note) if part)
    return f"{spec(row.metric).label} {values}{f', {extra}' if extra else ''}"


def _markdown_row(row: Row) -> str:
    what = f"{row.name} · {spec(row.metric).label}" if row.metric else row.name
    shown = [
        quantity(row.metric, value) if value is not None else "" for value in (row.baseline, row.current)
    ]
    bold = f"**{row.verdict}**" if row.fails else row.verdict
    change = ", ".join(part for part in (change_text(row), row.note) if part)
    return "| " + " | ".join([bold, _escape(what), _escape(change), *shown]) + " |"


def _escape(text: str) -> str:
    """Text that Markdown and the HTML within it leave as it is, on one line."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", plain)


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 forbids even when escaped."""
    return _INVALID_XML.sub("\ufffd", text)
