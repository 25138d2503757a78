"""A server that an engine's launcher has started."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Launched:
    """A server that an engine's launcher has started as a process.

    settings: KEY -> value of BAKEOFF_<ENGINE>_<KEY>, in which the adapter finds it. pid: the root of its
    process tree. data: the folder with everything it stores. kill_and_start: kills it (SIGKILL, all of its processes)
    and starts it again on the same data; None where the launcher cannot.
    """

    settings: Mapping[str, str]
    pid: int
    data: Path
    kill_and_start: Callable[[], Launched] | None = None
