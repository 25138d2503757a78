"""The table of requirements: each engine at its best setting, what it costs, and what it meets.

Figures that the scenario asks for have a column each. Those on events that should never happen (wrong
answers, errors) share one, and so do the needs of production: most of them hold, and the cell names those that do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.results.metrics import spec
from reports.charts.dots import over_filters
from reports.charts.lines import together
from reports.charts.style import EngineStyle
from reports.decide.cells import Cells, Configuration
from reports.decide.checks.needs import is_need
from reports.decide.checks.requirements import Check
from reports.decide.decision import Decision, Standing
from reports.decide.evidence import Evidence
from reports.decide.groups import TrialGroup, flag_kind
from reports.page.sections import best_settings
from reports.page.views import marker
from reports.wording import percent, quantity, settings, shortened

_LONGEST_DETAIL = 90  # characters in a table cell; the sentences below the table have it in full
_MARKS = {"holds": "✔", "too close to call": "≈", "fails": "✘", "not measured": "–"}
_KINDS = {"holds": "holds", "too close to call": "close", "fails": "fails", "not measured": "gap"}
_WORST_FIRST = ("fails", "not measured", "too close to call", "holds")
_COSTS = {
    "throughput_qps": "Throughput, queries/s",
    "cpu_s_per_1000": "CPU s per 1,000 queries",
    "client_cpu_s_per_1000": "CPU s of the clients",
    "latency_max_ms": "Highest latency",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of requirements: one that the scenario states, or several that share it."""

    heading: str
    requirements: tuple[str, ...]
    shared: bool = False


@dataclass(frozen=True, slots=True)
class RequirementCell:
    """One engine's cell in a column. kind: holds, close, fails or gap."""

    mark: str
    text: str
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class EngineRow:
    """An engine in the table. care: how many of the cells behind its score are flagged."""

    engine: str
    marker: str
    settings: str
    status: str
    score: str
    care: str
    costs: tuple[str, ...]
    wins: str
    cells: tuple[RequirementCell, ...]
    sentence: str


def columns(decision: Decision) -> list[Column]:
    """The columns of requirements, in the order of the decision."""
    checks = {check.requirement: check for standing in decision.standings for check in standing.checks}
    needs = tuple(text for text in decision.requirements if text in checks and is_need(checks[text]))
    faults = tuple(
        text
        for text in decision.requirements
        if text in decision.defaults or (text in checks and spec(checks[text].metric).is_count)
    )
    found = [
        Column(text, (text,)) for text in decision.requirements if text not in faults and text not in needs
    ]
    if faults:
        found.append(Column("Answers and errors", faults, shared=True))
    if needs:
        found.append(Column("What production needs", needs, shared=True))
    return found


def cost_headings(decision: Decision) -> list[str]:
    """The notes beside the score."""
    return [_COSTS[metric] for metric in _costs(decision)]


def engine_rows(evidence: Evidence, decision: Decision, styles: Mapping[str, EngineStyle]) -> list[EngineRow]:
    """Every engine, the pick first."""
    settings_of = best_settings(evidence)
    return [
        _row(evidence.cells, standing, settings_of.get(standing.engine), decision, styles)
        for standing in decision.standings
    ]


def _row(
    cells: Cells,
    standing: Standing,
    setting: Configuration | None,
    decision: Decision,
    styles: Mapping[str, EngineStyle],
) -> EngineRow:
    checks = {check.requirement: check for check in standing.checks}
    choice = standing.choice
    return EngineRow(
        engine=standing.engine,
        marker=marker(styles[standing.engine]),
        settings=settings(choice.index, choice.search) if choice else "",
        status=standing.status,
        score=quantity(decision.objective.split()[1], choice.score) if choice else "-",
        care=_flagged(cells.objective(setting)) if setting else "",
        costs=tuple(_cost(cells, setting, metric) for metric in _costs(decision)),
        wins="-" if standing.win_share is None else percent(standing.win_share),
        cells=tuple(_cell(column, checks) for column in columns(decision)),
        sentence=standing.sentence,
    )


def _costs(decision: Decision) -> list[str]:
    return [metric for metric in _COSTS if metric != decision.objective.split()[1]]


def _cost(cells: Cells, setting: Configuration | None, metric: str) -> str:
    """The mean over trials; of the highest latency the highest of all trials and loads at this setting."""
    if setting is None:
        return "-"
    if spec(metric).over_filters == "highest":
        found = [value for group in cells.search(setting) for value in group.values(metric).values()]
        return quantity(metric, max(found, default=None))
    values = over_filters(metric, [group.values(metric) for group in cells.objective(setting)])
    return quantity(metric, fmean(values)) if values else "-"


def _flagged(groups: Sequence[TrialGroup]) -> str:
    """`client-bound: 3 of 12 cells`."""
    every = [flags for group in groups for flags in group.flags]
    counts = Counter(flag_kind(flag) for flags in every for flag in flags)
    return ", ".join(f"{flag}: {count} of {len(every)} cells" for flag, count in counts.items())


def _cell(column: Column, checks: Mapping[str, Check]) -> RequirementCell:
    if column.shared:
        return _shared([checks[text] for text in column.requirements if text in checks])
    check = checks.get(column.requirements[0])
    if check is None:
        return RequirementCell("–", "not measured", "gap", "not measured")
    return RequirementCell(_MARKS[check.status], check.shown, _KINDS[check.status], _detail(check))


def _detail(check: Check) -> str:
    detail = shortened(check.reason or check.place, _LONGEST_DETAIL)
    if check.queries is not None and check.low is not None and check.high is not None:
        return f"{check.low:.3f} to {check.high:.3f} over {check.queries:,} queries; {detail}"
    return detail


def _shared(checks: Sequence[Check]) -> RequirementCell:
    """`all 9 hold`, or `1 of 9 fails` and what, the worst first."""
    wrong = sorted(
        (check for check in checks if check.status != "holds"), key=lambda c: _WORST_FIRST.index(c.status)
    )
    if not checks:
        return RequirementCell("–", "not measured", "gap", "")
    if not wrong:
        declared = [_name(check) for check in checks if check.shown == "declared"]
        detail = f"declared, not measured: {', '.join(declared)}" if declared else ""
        return RequirementCell("✔", f"all {len(checks)} hold", "holds", detail)
    worst = wrong[0].status
    count = sum(check.status == worst for check in wrong)
    details = together((_name(check), check.reason or f"{check.shown}, {check.place}") for check in wrong)
    return RequirementCell(
        _MARKS[worst],
        f"{count} of {len(checks)} {worst}",
        _KINDS[worst],
        shortened("; ".join(details), 2 * _LONGEST_DETAIL),
    )


def _name(check: Check) -> str:
    return spec(check.metric).label
