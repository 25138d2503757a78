"""Sections of a model's page that come after training, when there is more to say of the model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from harness.errors import ConfigurationError
from harness.results.files import write_text

_BEFORE = '<section id="data">'  # the last one


def put_sections(page: Path, sections: Mapping[str, str]) -> None:
    """Puts sections by name into a model's page, see `with_section`.

    Raises ConfigurationError where there is no such page, MeasurementError where it cannot be written.
    """
    try:
        text = page.read_text("utf-8")
        for name, html in sections.items():
            text = with_section(text, name, html)
    except FileNotFoundError:
        raise ConfigurationError(f"{page}: is missing") from None
    except ValueError as error:
        raise ConfigurationError(f"{page}: {error}") from error
    write_text(page, text)


def with_section(page: str, name: str, html: str) -> str:
    """The page with a section, `<section id="name">...</section>`.

    It stands where an earlier one of that name does, else before the data. Raises ValueError for a page that is none of
    a model.
    """
    section = html.strip()
    earlier = re.compile(rf'<section id="{name}">.*?</section>', flags=re.DOTALL)
    if earlier.search(page):
        return earlier.sub(lambda _: section, page, count=1)
    before, found, after = page.partition(_BEFORE)
    if not found:
        raise ValueError("is no page of a model")
    return f"{before}{section}\n\n{found}{after}"
