"""Sections of a model's page that come after training, when there is more to say of the model."""

from __future__ import annotations

import re

_BEFORE = '<section id="data">'  # the last one


def with_section(page: str, name: str, html: str) -> str:
    """The page with a section, `<section id="name">...</section>`, in place of an earlier one of that name.

    Raises ValueError for a page that is none of a model.
    """
    cleared = re.sub(rf'<section id="{name}">.*?</section>\n*', "", page, flags=re.DOTALL)
    before, found, after = cleared.partition(_BEFORE)
    if not found:
        raise ValueError("is no page of a model")
    return f"{before}{html.strip()}\n\n{found}{after}"
