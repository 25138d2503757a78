"""Fills in the template of a page: what all pages have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup

# Breaking a line between a figure and its unit makes both hard to read.
_UNIT = re.compile(r"(?<=\d) (?=(?:%|×|ms|us|s|MiB|GiB|queries/s|vectors/s|items/s|bytes)(?:\W|$))")
_LONG = re.compile(r"(?<=\w[:_])(?=\w)")  # where a long name may go on in the next line
_STYLE = Path(__file__).parent / "page.css"


def filled(template: Path, values: Mapping[str, Any]) -> str:
    """One self-contained HTML page. The template gets `values`, and the style of all pages as `style`.

    Names come from users and are escaped; only our own SVG is trusted. Raises jinja2.UndefinedError for a value that
    the template names and nobody gives.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        autoescape=True,
        finalize=_unbroken,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    return environment.get_template(template.name).render(**values, style=_STYLE.read_text(encoding="utf-8"))


def _breakable(text: str) -> Markup:
    """The text escaped, with places in its long names where narrow columns may break them."""
    from markupsafe import Markup, escape

    return Markup(_LONG.sub("<wbr>", escape(_unbroken(text))))


def _unbroken(value: Any) -> Any:
    return _UNIT.sub("\u00a0", value) if type(value) is str else value
