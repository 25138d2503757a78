"""How long a run still takes, from the plan and from the cells measured so far; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from statistics import fmean

from harness.results.result import Measurement

_Kind = tuple[str, str]  # engine, task


class TimeLeft:
    """An estimate that follows the run: cells of one engine and task are taken to last alike.

    windows_s: how long the window of a cell of each task lasts, the longest warm-up included.
    """

    def __init__(self, windows_s: Mapping[str, float], now_s: float) -> None:
        self._windows_s = windows_s
        self._at_s = now_s  # when the last cell ended
        self._open: Counter[_Kind] = Counter()
        self._taken_s: defaultdict[_Kind, list[float]] = defaultdict(list)

    def plan(self, cells: Iterable[Measurement]) -> None:
        """These cells, and no others, are still to be measured."""
        self._open = Counter((cell.engine, cell.task) for cell in cells)

    def done(self, cell: Measurement, now_s: float) -> None:
        """A cell has been measured since the one before; building and starting count in the first of a session."""
        kind = (cell.engine, cell.task)
        self._taken_s[kind].append(now_s - self._at_s)
        self._at_s = now_s
        self._open[kind] -= 1

    def seconds(self) -> float:
        """From the end of the last cell on. As long as nothing of a task is measured, by the plan alone: too short by
        what surrounds its windows.
        """
        return sum(count * self._cell_s(*kind) for kind, count in self._open.items() if count > 0)

    def _cell_s(self, engine: str, task: str) -> float:
        if own := self._taken_s.get((engine, task)):
            return fmean(own)
        others = [s for (_, name), taken in self._taken_s.items() if name == task for s in taken]
        return fmean(others) if others else self._windows_s.get(task, 0.0)
