"""What is drawn of a large run: a page with hundreds of panels and lines is unreadable and takes minutes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from reports.decide.cells import Cells
from reports.wording import listing

MOST_PANELS = 12  # filters with a panel of their own
MOST_LINES = 12  # in one panel; there are 8 colours
MOST_POINTS = 24  # on one line
MOST_ROWS = 24  # of a dot plot

Build = tuple[str, str]  # engine and index parameters (as JSON)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn. lines, rows: the builds in panels of lines and in dot plots. left_out: one sentence on what is not
    drawn, empty where everything is.
    """

    filters: frozenset[str]
    lines: frozenset[Build]
    rows: frozenset[Build]
    left_out: str = ""

    def draws(self, engine: str) -> bool:
        """Whether an engine has a line."""
        return any(engine == name for name, _ in self.lines)


def choose_drawn(cells: Cells, first: Iterable[Build], shares: Mapping[str, float]) -> Drawn:
    """The builds in `first` before the others; filters spread evenly from the widest to the narrowest.

    shares: the mean share of items that each filter lets through.
    """
    builds = list(dict.fromkeys([*first, *((c.engine, c.index_json) for c in cells.candidates)]))
    names = list(dict.fromkeys([*cells.filters, *(g.filter for g in cells.groups if g.kind == "search")]))
    ordered = sorted(names, key=lambda name: -shares.get(name, 1.0))
    filters = evenly(ordered, MOST_PANELS)
    left_out = []
    if len(filters) < len(names):
        left_out.append(f"{len(filters)} of {len(names)} filters, from the widest to the narrowest")
    if len(builds) > MOST_LINES:
        left_out.append(
            f"{MOST_LINES} of {len(builds)} indexes in panels of lines and {min(MOST_ROWS, len(builds))} in the "
            "others, those of the best engines"
        )
    sentence = f"Drawn: {listing(left_out)}. Every cell is in cells.csv." if left_out else ""
    return Drawn(frozenset(filters), frozenset(builds[:MOST_LINES]), frozenset(builds[:MOST_ROWS]), sentence)


def evenly(items: Sequence[_T], most: int) -> list[_T]:
    """At most so many of the items, evenly spaced, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(step * (len(items) - 1) / (most - 1))] for step in range(most)]
