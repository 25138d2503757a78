"""The page's sections, from what was measured to what the template shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.charts.style import engine_styles
from reports.charts.svg import styled
from reports.decide.cells import Cells
from reports.decide.decision import Decision
from reports.decide.evidence import Evidence
from reports.page.added import added_rows
from reports.page.breaks import breaks
from reports.page.minute import questions
from reports.page.prose import environment_facts, how_it_ran, limitations, method, not_measured, run_facts
from reports.page.sections import chart_sections, update_section, what_is_drawn
from reports.page.tables.cell_table import cell_tables
from reports.page.tables.postfilter import post_tables, unpaired
from reports.page.tables.requirement_table import COSTS, columns, engine_rows, score_heading
from reports.page.tables.winners import WINNERS, change_tables, winner_rows
from reports.page.views import busy_machine, cautions, headline, marker
from reports.wording import listing, percent, quantity


def page(evidence: Evidence, decision: Decision) -> dict[str, Any]:
    """Every value that the template names."""
    cells = evidence.cells
    result = cells.result
    styles = engine_styles(cells.engines)
    shown = what_is_drawn(evidence, decision)
    rows, found, lacking = engine_rows(evidence, decision, styles), breaks(evidence), not_measured(evidence)
    with styled():
        sections = chart_sections(evidence, decision, styles, shown)
        updates = update_section(cells, styles, shown)
    return {
        "result": result,
        "dataset": {"name": "?", "description": ""} | result.dataset,
        "decision": decision,
        "headline": headline(evidence, decision),
        "rows": rows,
        "costs": COSTS,
        "questions": questions(decision, rows, found, lacking),
        "winner_rows": winner_rows(decision),
        "winner_names": WINNERS,
        "change_tables": change_tables(decision),
        "lacking": lacking,
        "columns": columns(decision),
        "score_heading": score_heading(decision),
        "legend": [(engine, marker(styles[engine])) for engine in cells.engines if shown.draws(engine)],
        "left_out": shown.left_out,
        "markers": {engine: marker(styles[engine]) for engine in cells.engines},
        "busy": busy_machine(cells),
        "cautions": cautions(cells),
        "sections": sections,
        "updates": updates,
        "update_rows": _update_rows(cells),
        "post_tables": post_tables(cells.closed_loop),
        "unpaired": unpaired(cells.closed_loop),
        "added_rows": added_rows(cells),
        "cell_tables": cell_tables(result.measurements),
        "cell_count": len(result.measurements),
        "facts": run_facts(cells, decision),
        "environment": environment_facts(cells),
        "engines": _engine_facts(evidence),
        "fields": result.dataset.get("fields") or [],
        "filters": [_filter_row(entry) for entry in result.dataset.get("filters") or []],
        "skipped": (result.dataset.get("skipped") or {}).items(),
        "data_notes": result.dataset.get("notes") or [],
        "data_cautions": result.dataset.get("cautions") or [],
        "method": method(cells),
        "limitations": limitations(evidence),
    }


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


# Capabilities that say how an engine is reached, not what it can do.
_KINDS = ("server", "pipelined", "receiving_thread")


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
