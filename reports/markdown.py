"""Markdown: texts and tables that show as they are meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def escaped(text: str) -> str:
    """Text that Markdown and the HTML within it leave as it is, on one line."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", plain)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int = 1) -> list[str]:
    """The lines of a table; the first `texts` columns are aligned left, the others right."""
    rule = ["---"] * texts + ["---:"] * (len(head) - texts)
    lines = [[escaped(text) for text in row] for row in (head, *rows)]
    return [f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:])]
