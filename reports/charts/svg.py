"""Figures to inline SVG: responsive, accessible, the same bytes for the same data, ids unique in the page."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING

from reports.charts.style import HEIGHT, RC, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEAD = re.compile(r"<svg [^>]*?viewBox=\"([^\"]+)\"[^>]*>", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_IDS = re.compile(r"(\bid=\"|url\(#|href=\"#)")
_FONT = re.compile(r"'DejaVu Sans'(?:, [^;\"]*)?")
_STYLE = re.compile(r"\s*<style[^>]*>.*?</style>", re.DOTALL)
_PATH = re.compile(r" d=\"[^\"]*\"")
_DECIMALS = re.compile(r"(\d+\.\d{2})\d+")


@contextmanager
def styled() -> Iterator[None]:
    """Figures made and drawn within have the report's style; the settings of others are left alone."""
    import matplotlib as mpl

    with mpl.rc_context(RC), warnings.catch_warnings():
        # The reader's browser draws the text with its own fonts, so glyphs that ours lack do not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def panel(
    left: float = 52, bottom: float = 44, right: float = 12, top: float = 12, height: float = HEIGHT
) -> tuple[Figure, Axes]:
    """A figure with one pair of axes; margins and height in CSS pixels. Fixed margins, so that panels line up."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    box = (left / WIDTH, bottom / height, 1 - (left + right) / WIDTH, 1 - (bottom + top) / height)
    axes: Axes = figure.add_axes(box)
    return figure, axes


def to_svg(figure: Figure, name: str, description: str) -> str:
    """The figure as an <svg> element as wide as its container. name: unique in the page, prefixes every id."""
    buffer = io.StringIO()
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=metadata, transparent=True)
    text = buffer.getvalue()
    text = text[text.index("<svg ") :]
    view = _HEAD.match(text)
    assert view is not None
    label = escape(description, quote=True)
    head = f'<svg class="chart" viewBox="{view[1]}" role="img" aria-label="{label}"><title>{label}</title>'
    # A style element would apply to the whole page; the page's own style has what matplotlib puts there.
    body = _STYLE.sub("", _METADATA.sub("", text[view.end() :]))
    body = _IDS.sub(lambda found: f"{found[1]}{name}-", body)
    body = _FONT.sub("inherit-font", body).replace("inherit-font", "system-ui, sans-serif")
    return head + _PATH.sub(lambda found: _DECIMALS.sub(r"\1", found[0]).replace("\n", ""), body).strip()
