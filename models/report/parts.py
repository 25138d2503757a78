"""Sections of a model's page that come after training, when there is more to say of the model."""

from __future__ import annotations

import re

_BEFORE = '<section id="data">'  # the last one


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
