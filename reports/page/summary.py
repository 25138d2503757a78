"""The summary that ends a run in the terminal: one row a candidate, its worst filter, and the decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from harness.results.metrics import spec
from reports.decide.comparing.ranking import Candidate
from reports.decide.conclusion.caveats import unsteady
from reports.decide.conclusion.sentences import rate_text
from reports.decide.decision import Decision
from reports.decide.evidence import Evidence
from reports.decide.groups import TrialGroup
from reports.page.added import added_lines
from reports.page.sections import best_settings
from reports.wording import number, quantity, settings

if TYPE_CHECKING:
    from rich.console import RenderableType

_NARROWEST_TABLE = 110  # columns
_MOST_ROWS = 40  # a screen or two
_MARKS = {
    "pick": "✔ pick",
    "open": "open",
    "leads": "leads",
    "eligible": "meets all",
    "eliminated": "out",
    "not judged": "not judged",
}


StyledTexts = tuple[list[str], str]  # the texts of a row, and how rich is to style them


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One candidate. recall and p99_ms: of its worst filter, mean over trials; qps: mix of the filters. p99_ms:
    under the offered rates where the setting was measured there, else of the closed loop; where a latency is the
    objective, that one over the mix.

    None where it was not measured in full. few_queries: over how many queries the recall was taken, where these are too
    few to judge it by. violations and errors: sums over all trials and tasks, of cells that failed as well.
    """

    engine: str
    settings: str
    recall: float | None
    p99_ms: float | None
    qps: float | None
    violations: int
    errors: int
    failed_cells: int
    verdict: str
    few_queries: int | None = None


def summary_rows(evidence: Evidence, decision: Decision) -> list[SummaryRow]:
    """One row a candidate, in the order of the scenario; of many candidates the best of each engine."""
    shown = evidence.candidates
    if len(shown) > _MOST_ROWS:
        best = best_settings(evidence)
        shown = [c for c in shown if best[c.configuration.engine] == c.configuration]
    return [_row(evidence, candidate, decision) for candidate in shown]


def _row(evidence: Evidence, candidate: Candidate, decision: Decision) -> SummaryRow:
    cells, setting = evidence.cells, candidate.configuration
    objective = cells.objective(setting)
    updates = [number for number in cells.build_numbers(setting) if cells.groups[number].kind == "updates"]
    numbers = cells.search_numbers(setting) + updates
    offered = [group for group in cells.search(setting) if group.executor == "arrival_rate"]
    recall = _worst(objective, f"recall_at_{cells.k}", min)
    goal = evidence.objective
    status = "eligible" if candidate.met else "not judged" if candidate.not_judged else "eliminated"
    if decision.picked_engine and setting.title in {choice.title for choice in decision.picked_engine.open}:
        status = "open"
    few = evidence.judge.too_few_queries(setting)
    if decision.leader is not None and decision.leader.title == setting.title:
        status = "leads" if decision.pick is None else "pick"
    return SummaryRow(
        engine=setting.engine,
        settings=settings(setting.index, setting.search),
        recall=recall,
        p99_ms=candidate.score if goal.is_latency else _worst(offered or objective, "latency_p99_ms", max),
        qps=candidate.score if goal.maximise else _worst(objective, "throughput_qps", min),
        violations=int(np.nansum(cells.matrix("violations")[numbers])),
        errors=int(np.nansum(cells.matrix("errors")[numbers])),
        failed_cells=int(cells.failed[numbers].sum()),
        verdict=_MARKS[status],
        few_queries=few[0] if few else None,
    )


def _worst(groups: list[TrialGroup], metric: str, worst: Callable[[list[float]], float]) -> float | None:
    """The mean over trials at the worst filter; None where any cell lacks it."""
    if not groups or any(group.gap(metric) is not None for group in groups):
        return None
    return worst([fmean(group.values(metric).values()) for group in groups])


def summary_table(
    evidence: Evidence, decision: Decision, width: int = 120, shown: Callable[[str], str] = str
) -> RenderableType:
    """The rows for a terminal of `width` columns, with the decision's sentence below.

    A table where there is room for one, else a line a row: a table would cut figures off. shown: what the terminal
    makes of a text, so that columns are as wide as they will look.
    """
    from rich.console import Group as Stack
    from rich.text import Text

    rows, filters = summary_rows(evidence, decision), len(evidence.cells.filters)
    worst = f"worst of {filters} filters, " if filters > 1 else ""
    part = ""
    if len(rows) < (count := len(evidence.candidates)):
        part = f"; the best setting of each engine, all {count} are in the report"
    title = shown(f"{decision.run}: {worst}mean over trials{part}")
    goal = evidence.objective
    latency = f"{spec(goal.metric).label}{rate_text(evidence.cells)}" if goal.is_latency else "P99"
    rate = "queries/s (mix)" if goal.maximise else "queries/s"
    figures = (f"recall@{evidence.cells.k}", latency, rate, "violations", "errors")
    layout = _table if width >= _NARROWEST_TABLE else _lines
    texts = [([shown(text) for text in _texts(row)], _style(row)) for row in rows]
    told = [decision.split, *unsteady(evidence), *added_lines(evidence.cells)]  # what is not in the table
    notes = [Text(shown(note)) for note in told if note]
    return Stack(layout(title, figures, texts), Text(shown(decision.sentence), style="bold"), *notes)


def _lines(title: str, figures: Sequence[str], rows: Sequence[StyledTexts]) -> RenderableType:
    from rich.text import Text

    text = Text(f"{title}\n")
    for texts, style in rows:
        engine, setting, *values, verdict = texts
        figures_text = ", ".join(f"{name} {value}" for name, value in zip(figures, values, strict=True))
        text.append(
            f"- {engine}{f' ({setting})' if setting else ''}: {figures_text}; {verdict}\n", style=style
        )
    return text


def _table(title: str, figures: Sequence[str], rows: Sequence[StyledTexts]) -> RenderableType:
    from rich.table import Table as TerminalTable
    from rich.text import Text

    table = TerminalTable(title=Text(title), title_justify="left")
    for heading in ("engine", "settings"):
        table.add_column(heading, overflow="fold")
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for texts, style in rows:
        table.add_row(*map(Text, texts), style=style)
    return table


def _style(row: SummaryRow) -> str:
    return "bold" if row.verdict == _MARKS["pick"] else ""


def _recall_text(row: SummaryRow) -> str:
    if row.recall is None:
        return "-"
    few = "" if row.few_queries is None else f" (of {row.few_queries})"
    return f"{row.recall:.3f}{few}"


def _texts(row: SummaryRow) -> list[str]:
    failed = f" (+{row.failed_cells} failed cells)" if row.failed_cells else ""
    return [
        row.engine,
        row.settings,
        _recall_text(row),
        quantity("latency_p99_ms", row.p99_ms),
        number(row.qps),
        f"{row.violations:,}",
        f"{row.errors:,}{failed}",
        row.verdict,
    ]
