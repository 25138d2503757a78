"""The page's sections, from what was measured to what the template shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.results.metrics import charted, spec
from reports.charts.dots import Row, best_rows, build_rows, dot_chart
from reports.charts.latency import latency_charts
from reports.charts.lines import Chart, recall_charts, selectivity_charts
from reports.charts.style import Look, looks
from reports.charts.svg import styled
from reports.decide.cells import Cells, Configuration
from reports.decide.decision import Decision
from reports.decide.evidence import Evidence
from reports.page.cell_table import HEAD, cell_tables
from reports.page.postfilter import post_tables, unpaired
from reports.page.prose import environment_facts, how_it_ran, limitations, method, run_facts
from reports.page.views import cautions, engine_rows, hero, marker
from reports.wording import listing, percent, quantity


@dataclass(frozen=True, slots=True)
class Figures:
    """A group of charts under one heading. absent: why there are none."""

    id: str
    heading: str
    intro: str
    charts: tuple[Chart, ...]
    absent: str = ""


def page(evidence: Evidence, decision: Decision) -> dict[str, Any]:
    """Every value that the template names."""
    cells = evidence.cells
    result = cells.result
    look = looks(cells.engines)
    shown = _shown(evidence)
    with styled():
        figures = _figures(evidence, look, shown)
        updates = _updates(cells, look)
    return {
        "result": result,
        "dataset": {"name": "?", "description": ""} | result.dataset,
        "decision": decision,
        "hero": hero(decision, len(cells.filters)),
        "rows": engine_rows(decision, look),
        "objective": decision.objective.split()[1],
        "legend": [(engine, marker(look[engine])) for engine in cells.engines],
        "markers": {engine: marker(look[engine]) for engine in cells.engines},
        "cautions": cautions(cells),
        "figures": figures,
        "updates": updates,
        "update_rows": _update_rows(cells),
        "post_tables": post_tables(cells),
        "unpaired": unpaired(cells),
        "cell_head": HEAD,
        "cell_tables": cell_tables(result.measurements),
        "cell_count": len(result.measurements),
        "facts": run_facts(result, decision),
        "environment": environment_facts(result),
        "engines": _engine_facts(evidence),
        "fields": result.dataset.get("fields") or [],
        "filters": [_filter_row(entry) for entry in result.dataset.get("filters") or []],
        "skipped": (result.dataset.get("skipped") or {}).items(),
        "data_notes": result.dataset.get("notes") or [],
        "method": method(cells),
        "limitations": limitations(evidence),
    }


def _shown(evidence: Evidence) -> dict[str, Configuration]:
    """The setting that stands for each engine: its best eligible one, else the one nearest to that."""
    best = {candidate.configuration.engine: candidate.configuration for candidate in evidence.ranking}
    shown = {}
    for engine in evidence.cells.engines:
        nearest = evidence.nearest(engine)
        if engine in best or nearest is not None:
            shown[engine] = best.get(engine) or nearest.configuration  # type: ignore[union-attr]
    return shown


def _figures(
    evidence: Evidence, look: Mapping[str, Look], shown: Mapping[str, Configuration]
) -> list[Figures]:
    cells, leader = evidence.cells, evidence.leader
    shares = {e["name"]: e.get("selectivity_mean") or 0.0 for e in cells.result.dataset.get("filters") or []}
    ladder = len({shares.get(name) for name in cells.filters} - {None, 0.0}) > 1
    offered = cells.has_arrivals
    return [
        Figures(
            "recall",
            "Recall and throughput",
            "Up and to the right is better. A line is one index; its points are the settings tried. Whiskers reach "
            "from the lowest to the highest trial. The ring marks the setting named in the decision.",
            tuple(recall_charts(cells, look, _floor(evidence), leader.configuration if leader else None)),
            "No search with a closed loop was measured.",
        ),
        Figures(
            "latency",
            "Latency under offered load",
            "Queries are due by a schedule, whatever the engine does; latency counts from when a query was due. "
            "Lower is better. Hollow markers: the engine answered fewer queries than were due.",
            tuple(latency_charts(cells, look)) if offered else (),
            "The scenario has no task with an offered rate (executor: arrival_rate).",
        ),
        Figures(
            "selectivity",
            "Narrow filters",
            "Each engine at the setting named in the decision's table. Filters let less through towards the left; "
            "those that let the same through stand one above the other.",
            tuple(selectivity_charts(cells, look, shown, shares)) if ladder else (),
            "The filters measured let the same share of items through, so there is nothing to compare.",
        ),
        Figures("indexing", "Indexing", "", tuple(_index_charts(cells, look)), "Nothing was indexed."),
        Figures(
            "resources",
            "Resources",
            "Memory of an engine in the measuring process is what it holds above the level before the collection; of a "
            "server it is all that it holds. Per vector, it is the growth alone.",
            tuple(_resource_charts(cells, look, shown)),
            "No resources were measured.",
        ),
    ]


def _floor(evidence: Evidence) -> float | None:
    """The recall that is required, if any."""
    wanted = f"recall_at_{evidence.cells.k}"
    floors = [
        asked.threshold.limit
        for asked in evidence.asked
        if asked.metric == wanted and asked.threshold.relation in (">", ">=")
    ]
    return max(floors, default=None)


def _index_charts(cells: Cells, look: Mapping[str, Look]) -> list[Chart]:
    return _dots(
        "indexing", {metric: build_rows(cells, "index", metric) for metric in charted("indexing")}, look
    )


def _resource_charts(
    cells: Cells, look: Mapping[str, Look], shown: Mapping[str, Configuration]
) -> list[Chart]:
    rows = {
        metric: best_rows(cells, shown, metric)
        if "search" in spec(metric).tasks
        else build_rows(cells, "index", metric)
        for metric in charted("resources")
    }
    return _dots("resources", rows, look)


def _updates(cells: Cells, look: Mapping[str, Look]) -> list[Chart]:
    return _dots(
        "updates", {metric: build_rows(cells, "updates", metric) for metric in charted("updates")}, look
    )


def _dots(prefix: str, metrics: Mapping[str, list[Row]], look: Mapping[str, Look]) -> list[Chart]:
    return [
        dot_chart(f"{prefix}-{place}", metric, rows, look)
        for place, (metric, rows) in enumerate(metrics.items())
        if rows
    ]


def _update_rows(cells: Cells) -> list[tuple[str, list[str], str]]:
    """Each engine's counts and visibility after updates, worst trial, and what went wrong."""
    rows = []
    for engine in cells.engines:
        own = [cell for cell in cells.of_engine(engine) if cell.kind == "updates"]
        if not own:
            continue
        texts = []
        for metric in UPDATE_COLUMNS:
            values = [value for cell in own if (value := cell.metrics.get(metric)) is not None]
            texts.append(quantity(metric, max(values)) if values else "–")
        errors: dict[str, list[str]] = {}
        for cell in own:
            if cell.error:
                errors.setdefault(cell.error, []).append(str(cell.trial + 1))
        rows.append(
            (engine, texts, "; ".join(f"trial {listing(ids)}: {error}" for error, ids in errors.items()))
        )
    return rows


UPDATE_COLUMNS = (
    "ghosts",
    "violations",
    "freshness_p50_ms",
    "freshness_p90_ms",
    "staleness_p50_ms",
    "staleness_p90_ms",
)


_KINDS = ("server", "pipelined")  # capabilities that say how an engine is reached, not what it can do


def _engine_facts(evidence: Evidence) -> list[tuple[str, str, str, str, str]]:
    """Label, version, how it was run, what its queries go through, and abilities its adapter lacks."""
    facts = []
    for engine, entry in evidence.cells.result.engines.items():
        abilities = entry.get("capabilities") or {}
        lacking = [
            name.replace("_", " ")
            for name, value in abilities.items()
            if value is False and name not in _KINDS
        ]
        version = str(entry.get("version") or "unknown")
        path = entry.get("query_path") or "its library"
        facts.append((engine, version, how_it_ran(entry), path, ", ".join(lacking) or "nothing"))
    return facts


def _filter_row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    def share(key: str) -> str:
        value = entry.get(f"selectivity_{key}")
        return "-" if value is None else percent(value)

    spread = share("min") if share("min") == share("max") else f"{share('min')} to {share('max')}"
    without = entry.get("queries_without_match", "-")
    return (
        str(entry.get("name")),
        share("asked"),
        share("mean"),
        spread,
        str(entry.get("distinct", "-")),
        str(without),
    )
