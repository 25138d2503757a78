"""The comparison as Markdown: for the terminal, a pull request, or the summary of a CI run."""

from __future__ import annotations

from reports.comparison.figures import EngineFigures, Entry
from reports.comparison.side_by_side import NOTE, RUN_HEAD, SideBySide, run_facts
from reports.markdown import escaped, table

_MARKS = {"better": " ▲", "worse": " ▼", "": ""}


def to_markdown(view: SideBySide) -> str:
    """What must be known first, the runs, what differs, then a table an engine."""
    letters = [run.letter for run in view.runs]
    head = ("", "Run", *RUN_HEAD, "Decision")
    runs = [(run.letter, run.name, *run_facts(run), run.decision.sentence) for run in view.runs]
    lines = [f"# {escaped(view.headline)}"]
    lines += [line for text in view.warnings for line in ("", f"> **{escaped(text)}**")]
    lines += ["", *table(head, runs, texts=len(head)), "", "## What differs", ""]
    rows = [(f"{one.group}: {one.name}", *one.values) for one in view.differences]
    lines += (
        table(("", *letters), rows, texts=1 + len(letters)) if rows else ["Nothing that the runs record."]
    )
    for figures in view.engines:
        lines += ["", f"## {escaped(figures.engine)}", "", *_table(figures, letters)]
    lines += ["", f"{escaped(NOTE)} ▲ better, ▼ worse."]
    return "\n".join(lines) + "\n"


def _table(figures: EngineFigures, letters: list[str]) -> list[str]:
    rows = [("Setting", *figures.settings), ("Outcome", *figures.statuses)]
    rows += [(line.heading, *map(_cell, line.entries)) for line in figures.lines]
    return table(("", *letters), rows)


def _cell(entry: Entry) -> str:
    return (
        f"{entry.text}{', ' if entry.values else ' '}{entry.told}{_MARKS[entry.verdict]}"
        if entry.told
        else entry.text
    )
