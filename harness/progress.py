"""How long-running work reports its progress, without knowing a terminal."""

from __future__ import annotations

from collections.abc import Callable

# (what, done, total or None where unknown); called at most a few times a second.
Progress = Callable[[str, float, float | None], None]


def silent(_what: str, _done: float, _total: float | None) -> None:
    """Reports nothing."""
