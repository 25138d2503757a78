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
_BUILD = ("index_s", "ready_s")  # together from the first item to when all are searchable


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of an engine, and what is to be said below it."""

    text: str
    detail: str = ""


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
    """An engine in the table. care: how many of the cells behind its score are flagged. latency: under an offered
    rate where there is one. costs: as `COSTS`.
    """

    engine: str
    marker: str
    settings: str
    status: str
    score: str
    care: str
    latency: Figure
    costs: tuple[Figure, ...]
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


def score_heading(decision: Decision) -> str:
    """What the score is."""
    metric = decision.objective.split()[1]
    named = {"throughput_qps": "Throughput (mix)", "cpu_s_per_1000": "CPU s per 1,000 (mix)"}
    return named.get(metric, f"{spec(metric).label} (mix)")


COSTS = ("CPU per 1,000 queries", "Memory", "Disk", "Built in")


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
        latency=_latency(cells, setting),
        costs=_costs(cells, setting),
        wins="-" if standing.win_share is None else percent(standing.win_share),
        cells=tuple(_cell(column, checks) for column in columns(decision)),
        sentence=standing.sentence,
    )


def _latency(cells: Cells, setting: Configuration | None) -> Figure:
    """P99 under the highest offered rate, at the worst of its filters; of the closed loop where there is none. Below
    it where that was, and the highest latency of any request at an offered rate or in the closed loop.
    """
    if setting is None:
        return Figure("-")
    offered = cells.offered().get((setting.engine, setting.index_json), [])
    top = max((group.rate for group in offered if group.rate is not None), default=None)
    groups = cells.objective(setting) if top is None else [group for group in offered if group.rate == top]
    found = [(fmean(values.values()), g.place) for g in groups if (values := g.values("latency_p99_ms"))]
    highest = [value for group in groups for value in group.values("latency_max_ms").values()]
    longest = f"highest {quantity('latency_max_ms', max(highest))}" if highest else ""
    if not found:
        gap = next((text for group in groups if (text := group.gap("latency_p99_ms"))), "")
        return Figure("-", "; ".join(filter(None, (shortened(gap, _LONGEST_DETAIL), longest))))
    value, place = max(found)
    return Figure(quantity("latency_p99_ms", value), "; ".join(filter(None, (place, longest))))


def _costs(cells: Cells, setting: Configuration | None) -> tuple[Figure, ...]:
    """Means over the trials: CPU time of a query and what of it is the clients', memory and its peak, disk, and the
    time from the first item until all are searchable.
    """
    if setting is None:
        return (Figure("-"),) * len(COSTS)
    groups = cells.objective(setting)
    shares = cells.weighing([group.filter for group in groups])
    cpu, client = (
        over_filters(metric, [group.values(metric) for group in groups], shares)
        for metric in ("cpu_s_per_1000", "client_cpu_s_per_1000")
    )
    built = next(iter(cells.build(setting, "index")), None)
    memory, peak, disk = (_built(built, metric) for metric in ("rss_bytes", "rss_peak_bytes", "disk_bytes"))
    seconds = [_built(built, metric) for metric in _BUILD]
    known = [value for value in seconds if value is not None]
    return (
        _figure("cpu_s_per_1000", fmean(cpu) if cpu else None, "clients", fmean(client) if client else None),
        _figure("rss_bytes", memory, "peak", peak),
        Figure(
            quantity("disk_bytes", disk), (built.gap("disk_bytes") or "") if built and disk is None else ""
        ),
        Figure(quantity("index_s", sum(known) if len(known) == len(seconds) else None)),
    )


def _built(group: TrialGroup | None, metric: str) -> float | None:
    values = list(group.values(metric).values()) if group else []
    return fmean(values) if values else None


def _figure(metric: str, value: float | None, name: str, other: float | None) -> Figure:
    """A figure, and another one of the same unit below it."""
    return Figure(quantity(metric, value), "" if other is None else f"{name} {quantity(metric, other)}")


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
