"""Sections that commands add to a model's page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.cli.printing.output import say, show
from harness.errors import ConfigurationError


def show_in_report(page: Path, sections: Mapping[str, str]) -> None:
    """Puts sections into the page of a model and tells its path; figures without a page are no failure."""
    from models.report.parts import put_sections

    try:
        put_sections(page, sections)
    except ConfigurationError as error:
        say(f"{error}, so the figures are in no report")
    else:
        show(f"Report: {page}")
