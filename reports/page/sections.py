"""The sections of charts, each with what it says when there is nothing to draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.results.metrics import charted
from reports.charts.dots import EngineFigure, best_rows, build_rows, dot_chart
from reports.charts.drawn import Drawn, choose_drawn
from reports.charts.latency import latency_charts
from reports.charts.lines import Chart, recall_charts, selectivity_charts
from reports.charts.style import EngineStyle
from reports.decide.cells import Cells, Configuration
from reports.decide.decision import Decision
from reports.decide.evidence import Evidence
from reports.decide.groups import NOT_RECORDED

Styles = Mapping[str, EngineStyle]


@dataclass(frozen=True, slots=True)
class ChartSection:
    """Charts under one heading. absent: why there are none."""

    id: str
    heading: str
    intro: str
    charts: tuple[Chart, ...]
    absent: str = ""


def what_is_drawn(evidence: Evidence, decision: Decision) -> Drawn:
    """What is drawn of a large run: the leading engines before the others."""
    settings = best_settings(evidence)
    first = [
        (choice.engine, choice.index_json)
        for standing in decision.standings
        if (choice := settings.get(standing.engine)) is not None
    ]
    return choose_drawn(evidence.cells, first, _shares(evidence.cells))


def best_settings(evidence: Evidence) -> dict[str, Configuration]:
    """The setting that is shown for each engine: its best eligible one, else the one nearest to being eligible."""
    best = {candidate.configuration.engine: candidate.configuration for candidate in evidence.ranking}
    found = {}
    for engine in evidence.cells.engines:
        nearest = evidence.nearest(engine)
        if engine in best or nearest is not None:
            found[engine] = best.get(engine) or nearest.configuration  # type: ignore[union-attr]
    return found


def chart_sections(evidence: Evidence, styles: Styles, shown: Drawn) -> list[ChartSection]:
    """Every section but that of updates, which has a table of its own."""
    cells, leader = evidence.cells, evidence.leader
    settings = best_settings(evidence)
    lines = {e: s for e, s in settings.items() if (e, s.index_json) in shown.lines}
    rows = {e: s for e, s in settings.items() if (e, s.index_json) in shown.rows}
    out = settings.keys() - {candidate.configuration.engine for candidate in evidence.ranking}
    chosen = leader.configuration if leader else None
    return [
        ChartSection(
            "recall",
            "Recall and throughput",
            "Up and to the right is better. A line is one index; its points are the settings tried. Whiskers reach "
            "from the lowest to the highest trial. The ring marks the setting named in the decision.",
            tuple(recall_charts(cells, styles, _floor(evidence), chosen, shown)),
            "No search with a closed loop was measured.",
        ),
        ChartSection(
            "cost",
            "Throughput and what it costs",
            "Each engine at its setting in the table of requirements, over all filters. The CPU time of a query is "
            "what limits throughput once every core is busy. The clients' is the cost of sending and decoding; of an "
            "engine inside the measuring process it is part of the engine's and not recorded apart. ✘: does not meet "
            "the requirements.",
            tuple(_dots(styles, {m: best_rows(cells, rows, m, out) for m in charted("cost")}, "cost")),
            "No search with a closed loop was measured.",
        ),
        ChartSection(
            "latency",
            "Latency under offered load",
            "Queries are due by a schedule, whatever the engine does; latency counts from when a query was due. "
            "Lower is better. Hollow markers: the engine answered fewer queries than were due.",
            tuple(latency_charts(cells, styles, shown)) if cells.has_arrivals else (),
            "The scenario has no task with an offered rate (executor: arrival_rate).",
        ),
        _selectivity(cells, styles, lines),
        ChartSection(
            "indexing",
            "Indexing",
            "",
            tuple(
                _dots(
                    styles, {m: build_rows(cells, "index", m, shown) for m in charted("indexing")}, "indexing"
                )
            ),
            "Nothing was indexed.",
        ),
        ChartSection(
            "resources",
            "Resources",
            "Memory of an engine in the measuring process is what it holds above the level before the collection; of a "
            "server it is all that it holds. Per vector, it is the growth alone.",
            tuple(
                _dots(
                    styles,
                    {m: build_rows(cells, "index", m, shown) for m in charted("resources")},
                    "resources",
                )
            ),
            "No resources were measured.",
        ),
    ]


def update_charts(cells: Cells, styles: Styles, shown: Drawn) -> list[Chart]:
    """The charts below the table of updates."""
    return _dots(
        styles,
        {metric: build_rows(cells, "updates", metric, shown) for metric in charted("updates")},
        "updates",
    )


def _selectivity(cells: Cells, styles: Styles, settings: Mapping[str, Configuration]) -> ChartSection:
    shares = _shares(cells)
    ladder = len({shares.get(name) for name in cells.filters} - {None, 0.0}) > 1
    return ChartSection(
        "selectivity",
        "Narrow filters",
        "Each engine at its setting in the table of requirements. Filters let less through towards the left; those "
        "that let the same through stand one above the other.",
        tuple(selectivity_charts(cells, styles, settings, shares)) if ladder else (),
        "The filters measured let the same share of items through, so there is nothing to compare.",
    )


def _shares(cells: Cells) -> dict[str, float]:
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


def _dots(styles: Styles, metrics: Mapping[str, list[EngineFigure]], prefix: str) -> list[Chart]:
    return [
        dot_chart(f"{prefix}-{place}", metric, rows, styles)
        for place, (metric, rows) in enumerate(metrics.items())
        if any(row.point is not None or not (row.reason or "").endswith(NOT_RECORDED) for row in rows)
    ]
