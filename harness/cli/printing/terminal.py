"""Progress on stderr: a bar where it is a terminal, else a line every half minute."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed
from rich.table import Column
from rich.text import Text

from harness.cli.printing.output import say
from harness.cli.printing.pace import Pace, about, clock
from harness.results.text import visible

_LINE_EVERY_S = 30.0


class ProgressBar:
    """A context manager; call it as `harness.progress.Progress` (what, done, total). The bar leaves nothing behind.

    shown: whether there is a terminal to show it on; without one, what is being done is written line by line.
    """

    def __init__(self, line_every_s: float = _LINE_EVERY_S) -> None:
        console = Console(stderr=True)
        # What is being done comes last, for its length varies: the bar stays where it is, and one line is enough.
        columns = (
            SpinnerColumn(),
            Elapsed(),
            BarColumn(bar_width=min(20, console.width // 6)),
            TextColumn("{task.fields[count]}", markup=False),
            _TimeLeft(self),
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
        )
        self.shown = (
            console.is_terminal and sys.stderr.isatty()
        )  # a log's colours (FORCE_COLOR) make no terminal
        self._bar = Progress(*columns, console=console, transient=True, expand=True, disable=not self.shown)
        self._task: TaskID | None = None
        self._what, self._count = "starting", ""
        self._began_s = time.monotonic()
        self._pace = Pace.begin(0, None, self._began_s)
        self._ends_s: float | None = None
        self._ended = threading.Event()
        self._lines = threading.Thread(target=self._write_lines, args=(line_every_s,), daemon=True)

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        self._task = self._bar.add_task(self._what, total=None, count="")
        if not self.shown:
            self._lines.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        self._ended.set()
        if self._lines.is_alive():
            self._lines.join()

    def __call__(self, what: str, done: float, total: float | None) -> None:
        assert self._task is not None
        self._what, self._count = visible(what), f"{done:,.0f}/{total:,.0f}" if total else ""
        self._pace = self._pace.followed_by(done, total, time.monotonic())
        self._bar.update(self._task, description=self._what, completed=done, total=total, count=self._count)

    def expect(self, left_s: float) -> None:
        """The whole work takes so much longer, as whoever does it reckons; else it is taken from the pace."""
        self._ends_s = time.monotonic() + left_s

    def time_left(self) -> str:
        now_s = time.monotonic()
        return about(self._pace.left_s(now_s) if self._ends_s is None else self._ends_s - now_s)

    def _write_lines(self, every_s: float) -> None:
        while not self._ended.wait(every_s):
            told = (self._what, self._count, self.time_left())
            say(f"[{clock(time.monotonic() - self._began_s)}] {', '.join(filter(None, told))}")


class _TimeLeft(ProgressColumn):
    """The time left beside the bar, which counts down between two calls."""

    def __init__(self, bar: ProgressBar) -> None:
        super().__init__(Column(no_wrap=True))
        self._told_by = bar

    def render(self, task: Task) -> Text:
        return Text(self._told_by.time_left())
