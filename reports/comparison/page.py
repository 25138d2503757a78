"""The comparison as one self-contained HTML file, and as Markdown beside it."""

from __future__ import annotations

from pathlib import Path

from harness.results.files import write_text
from reports.charts.style import engine_styles
from reports.comparison.charts import left_out, run_charts
from reports.comparison.markdown import to_markdown
from reports.comparison.side_by_side import NOTE, SideBySide, run_facts
from reports.page.views import marker
from reports.template import filled

PAGE, TEXT = "comparison.html", "comparison.md"
_TEMPLATE = Path(__file__).parent / "templates" / "comparison.html.j2"


def write_comparison(folder: Path, view: SideBySide) -> Path:
    """Writes comparison.html and comparison.md; returns the path of the page. Raises MeasurementError."""
    write_text(folder / TEXT, to_markdown(view))
    path = folder / PAGE
    write_text(path, render(view))
    return path


def render(view: SideBySide) -> str:
    """The page. Names come from users and are escaped; only our own SVG is trusted."""
    letters = [run.letter for run in view.runs]
    styles = engine_styles(letters)
    return filled(
        _TEMPLATE,
        {
            "headline": view.headline,
            "undecided": any(run.decision.pick is None for run in view.runs),
            "warnings": view.warnings,
            "letters": letters,
            "markers": {letter: marker(styles[letter]) for letter in letters},
            "runs": [(run.letter, run.name, run_facts(run), run.decision.sentence) for run in view.runs],
            "differences": view.differences,
            "engines": view.engines,
            "charts": run_charts(view, styles),
            "left_out": left_out(view),
            "note": NOTE,
        },
    )
