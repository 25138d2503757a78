"""The sections of charts, each with what it says when there is nothing to draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.results.metrics import charted, spec
from reports.charts.by_filter import filter_chart
from reports.charts.dots import EngineFigure, best_rows, build_rows, dot_chart, in_words, mostly_missing
from reports.charts.drawn import Drawn, choose_drawn
from reports.charts.latency import latency_charts, limits
from reports.charts.lines import Chart, recall_charts, selectivity_charts
from reports.charts.style import EngineStyle
from reports.decide.cells import Cells, Configuration
from reports.decide.decision import Decision
from reports.decide.evidence import Evidence
from reports.decide.groups import NOT_RECORDED
from reports.wording import listing

Styles = Mapping[str, EngineStyle]


@dataclass(frozen=True, slots=True)
class ChartSection:
    """Charts under one heading. absent: why there are none. left_out: what is not drawn, and why."""

    id: str
    heading: str
    intro: str
    charts: tuple[Chart, ...]
    absent: str = ""
    left_out: str = ""


def what_is_drawn(evidence: Evidence, decision: Decision) -> Drawn:
    """What is drawn of a large run: the leading engines before the others."""
    settings = best_settings(evidence)
    first = [
        (choice.engine, choice.index_json)
        for standing in decision.standings
        if (choice := settings.get(standing.engine)) is not None
    ]
    return choose_drawn(evidence.cells, first, filter_shares(evidence.cells))


def best_settings(evidence: Evidence) -> dict[str, Configuration]:
    """The setting that is shown for each engine: its best eligible one, else the one nearest to being eligible."""
    best = {candidate.configuration.engine: candidate.configuration for candidate in evidence.ranking}
    found = {}
    for engine in evidence.cells.engines:
        nearest = evidence.nearest(engine)
        if engine in best or nearest is not None:
            found[engine] = best.get(engine) or nearest.configuration  # type: ignore[union-attr]
    return found


def chart_sections(
    evidence: Evidence, decision: Decision, styles: Styles, shown: Drawn
) -> dict[str, ChartSection]:
    """Every section of charts by its id, but that of updates, which has a table of its own."""
    cells = evidence.cells
    settings = best_settings(evidence)
    lines = {e: s for e, s in settings.items() if (e, s.index_json) in shown.lines}
    rows = {e: s for e, s in settings.items() if (e, s.index_json) in shown.rows}
    out = settings.keys() - {candidate.configuration.engine for candidate in evidence.ranking}
    loops = cells.closed_loop
    measured = loops if loops.candidates else cells
    sections = [
        _dots(
            "cost",
            "Throughput and CPU",
            "Over all filters. The CPU time of a query is what limits throughput once every core is busy; of an engine "
            "inside the measuring process it includes sending and decoding. ✘: does not meet the requirements.",
            styles,
            {metric: best_rows(measured, rows, metric, out) for metric in charted("cost")},
            "No search with a closed loop was measured.",
        ),
        _dots(
            "resources",
            "Memory and disk",
            "Memory of an engine in the measuring process is what it holds above the level before the collection; of a "
            "server it is all that it holds. Per vector, it is the growth alone.",
            styles,
            {metric: build_rows(cells, "index", metric, shown) for metric in charted("resources")},
            "No resources were measured.",
        ),
        _dots(
            "indexing",
            "Indexing",
            "",
            styles,
            {metric: build_rows(cells, "index", metric, shown) for metric in charted("indexing")},
            "Nothing was indexed.",
        ),
        _by_filter(evidence, decision, styles, rows, shown),
        _selectivity(measured, styles, lines),
        ChartSection(
            "latency",
            "What breaks it: load",
            "Queries are due by a schedule, whatever the engine does; latency counts from when a query was due. "
            "Lower is better. Hollow markers: the engine answered fewer queries than were due, so that they queue and "
            "latency grows for as long as that lasts. " + limits(cells, shown),
            tuple(latency_charts(cells, styles, shown)) if cells.has_arrivals or cells.has_saturation else (),
            "The scenario has no task with an offered rate (executor: arrival_rate or saturation).",
        ),
        _recall(evidence, styles, shown),
    ]
    return {section.id: section for section in sections}


def _by_filter(
    evidence: Evidence,
    decision: Decision,
    styles: Styles,
    settings: Mapping[str, Configuration],
    shown: Drawn,
) -> ChartSection:
    cells, metric = evidence.cells, evidence.objective.metric
    shares = filter_shares(cells)
    filters = sorted(
        (name for name in cells.filters if name in shown.filters), key=lambda name: -shares.get(name, 1.0)
    )
    label = spec(metric).label
    takeaway = decision.split or f"{label[0].upper()}{label[1:]} with each filter"
    chart = filter_chart(cells, styles, settings, filters, metric, takeaway=takeaway)
    return ChartSection(
        "filters",
        "Where each engine wins",
        "From the widest filter to the narrowest. The chart has every engine at its setting in the table of "
        "requirements, the table those that meet every requirement, each at its best setting for the filter.",
        (chart,) if chart else (),
        "No search with a closed loop was measured.",
    )


def _recall(evidence: Evidence, styles: Styles, shown: Drawn) -> ChartSection:
    chosen = evidence.leader.configuration if evidence.leader else None
    charts, complete = recall_charts(evidence.cells.closed_loop, styles, _floor(evidence), chosen, shown)
    return ChartSection(
        "recall",
        "Recall and throughput",
        "Up and to the right is better. A line is one index; its points are the settings tried. Whiskers reach "
        "from the lowest to the highest trial. The ring marks the setting named in the decision. Recall is drawn by "
        "its distance from 1, each nine as wide as the one before.",
        tuple(charts),
        "No search with a closed loop was measured." if not complete else "",
        f"No panel for {listing(complete)}: every setting found all there, so only throughput differs (see where each "
        "engine wins)."
        if complete
        else "",
    )


def update_section(cells: Cells, styles: Styles, shown: Drawn) -> ChartSection:
    """The charts below the table of updates."""
    rows = {metric: build_rows(cells, "updates", metric, shown) for metric in charted("updates")}
    return _dots("updates", "What breaks it: updates", "", styles, rows, "The scenario has no updates task.")


def _selectivity(cells: Cells, styles: Styles, settings: Mapping[str, Configuration]) -> ChartSection:
    shares = filter_shares(cells)
    ladder = len({shares.get(name) for name in cells.filters} - {None, 0.0}) > 1
    return ChartSection(
        "selectivity",
        "What breaks it: narrow filters",
        "Each engine at its setting in the table of requirements. Filters let less through towards the left; those "
        "that let the same through stand one above the other.",
        tuple(selectivity_charts(cells, styles, settings, shares)) if ladder else (),
        "The filters measured let the same share of items through, so there is nothing to compare.",
    )


def filter_shares(cells: Cells) -> dict[str, float]:
    """The mean share of items that each filter lets through."""
    filters = cells.result.dataset.get("filters") or []
    return {entry["name"]: entry.get("selectivity_mean") or 0.0 for entry in filters}


def _floor(evidence: Evidence) -> float | None:
    """The recall that is required, if any."""
    wanted = f"recall_at_{evidence.cells.k}"
    floors = [
        asked.threshold.limit
        for asked in evidence.asked
        if asked.metric == wanted and asked.threshold.relation in (">", ">=")
    ]
    return max(floors, default=None)


def _dots(  # noqa: PLR0917  what a section holds
    name: str,
    heading: str,
    intro: str,
    styles: Styles,
    metrics: Mapping[str, list[EngineFigure]],
    absent: str,
) -> ChartSection:
    """A section of dot plots. One that most engines are missing from is left out and said in words."""
    known = {
        metric: rows
        for metric, rows in metrics.items()
        if any(row.point is not None or not (row.reason or "").endswith(NOT_RECORDED) for row in rows)
    }
    missing = [in_words(metric, rows) for metric, rows in known.items() if mostly_missing(rows)]
    charts = tuple(
        dot_chart(f"{name}-{place}", metric, rows, styles)
        for place, (metric, rows) in enumerate(known.items())
        if not mostly_missing(rows)
    )
    left_out = f"Not drawn, as most engines have none: {listing(missing)}." if missing else ""
    return ChartSection(name, heading, intro, charts, absent, left_out)
