"""The report: one self-contained HTML file, from result.json alone."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from harness.results.files import write_text
from harness.results.result import RunResult, read_result
from harness.results.text import visible_in
from reports.decide.decision import Decision, conclude
from reports.decide.evidence import Evidence, gather_evidence
from reports.page.export import write_decision
from reports.page.page import page
from reports.template import filled

PAGE = "report.html"  # in a run's folder
_TEMPLATE = Path(__file__).parent / "templates" / "report.html.j2"
_SCRIPT = Path(__file__).parent / "templates" / "cells.js"


def write_report(run: Path) -> Path:
    """Writes report.html, decision.json and cells.csv beside `run`'s result.json and returns the report's path.

    run: a run's folder or its result file. Raises ConfigurationError where that is no result, MeasurementError
    where nothing can be written.
    """
    evidence = gather_evidence(visible_in(read_result(run)))
    decision = conclude(evidence)
    folder = run if run.is_dir() else run.parent
    write_decision(folder, evidence, decision)
    return write_page(folder, evidence, decision)


def write_page(folder: Path, evidence: Evidence, decision: Decision) -> Path:
    """The page alone, of a result whose decision has been made already. Raises MeasurementError."""
    path = folder / PAGE
    write_text(path, render(evidence, decision))
    return path


def render_result(result: RunResult) -> str:
    """The page of a result."""
    evidence = gather_evidence(visible_in(result))
    return render(evidence, conclude(evidence))


def render(evidence: Evidence, decision: Decision) -> str:
    """The page. Names come from users and are escaped; only our own SVG and our own script are trusted, and the page
    lets browsers run no other one.
    """
    script = _SCRIPT.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return filled(_TEMPLATE, page(evidence, decision) | {"script": script, "script_hash": digest})
