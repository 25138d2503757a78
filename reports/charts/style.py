"""How charts look: one colour and one marker an engine, everywhere; sizes that stay legible on a phone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# Okabe and Ito's colours (2008), told apart with every common colour blindness; yellow is left out as too
# light for a line on white, a brown takes its place. Markers tell engines apart in print as well.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b0588f", "#c98500", "#4aa3d8", "#333333", "#7a5c3e")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_LINES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)))

INK, MUTED, GRID, ALERT = "#1f2933", "#5f6c7b", "#e3e7eb", "#b42318"
WIDTH, HEIGHT = 340, 262  # of a panel, in CSS pixels at its natural size: as wide as a phone shows it
FONT_SIZE = 11.5

RC: Any = {
    "svg.fonttype": "none",  # text stays text: selectable, searchable and small
    "svg.hashsalt": "bakeoff",
    "text.parse_math": False,  # names come from users: a dollar sign must not begin a formula
    "font.family": "DejaVu Sans",
    "font.size": FONT_SIZE,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.labelsize": FONT_SIZE,
    "axes.edgecolor": "#c3cad2",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": FONT_SIZE,
    "ytick.labelsize": FONT_SIZE,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
}


@dataclass(frozen=True, slots=True)
class EngineStyle:
    """An engine's colour, marker and line."""

    colour: str
    marker: str
    line: Any


def engine_styles(engines: Iterable[str]) -> dict[str, EngineStyle]:
    """A look for each engine, by its place in the run; the same in every chart of a report."""
    found = {}
    for place, engine in enumerate(engines):
        round_, index = divmod(place, len(_COLOURS))
        marker = _MARKERS[(index + round_) % len(_MARKERS)]
        found[engine] = EngineStyle(_COLOURS[index], marker, _LINES[round_ % len(_LINES)])
    return found
