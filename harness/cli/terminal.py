"""Progress bars on stderr; nothing where stderr is not a terminal."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from harness.results.text import visible


class ProgressBar:
    """A context manager; call it as `harness.progress.Progress` (what, done, total). It leaves nothing behind.

    shown: whether there is a terminal to show it on.
    """

    def __init__(self) -> None:
        console = Console(stderr=True)
        # What is being done comes last, for its length varies: the bar stays where it is, and one line is enough.
        columns = (
            SpinnerColumn(),
            TimeElapsedColumn(),
            BarColumn(bar_width=min(20, console.width // 6)),
            TextColumn("{task.fields[count]}", markup=False),
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

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        self._task = self._bar.add_task("starting", total=None, count="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, what: str, done: float, total: float | None) -> None:
        assert self._task is not None
        count = f"{done:,.0f}/{total:,.0f}" if total else ""
        self._bar.update(self._task, description=visible(what), completed=done, total=total, count=count)
