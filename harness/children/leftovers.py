"""What a run leaves behind when it and its keepers are killed at once, found by the next run: processes and folders.

Every process below a keeper has its owner's name in its environment; folders for temporary files have it as theirs.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness.children import tree

VARIABLE = "BAKEOFF_SCRATCH"  # the name of the folders for temporary files; a server may make one in /var/tmp
_PREFIX = "bakeoff-run"
_numbers = itertools.count()


def new_name() -> str:
    """A name for the processes and folders of one child of this process; it shows whether this process still runs."""
    own = tree.stat(os.getpid())
    return f"{_PREFIX}-{os.getpid()}-{own.started if own else 0}-{next(_numbers)}"


def temporary(name: str) -> Path:
    """The folder for the temporary files of the child of that name."""
    return Path(tempfile.gettempdir()).absolute() / name


def scratch(name: str) -> tuple[Path, ...]:
    """Further folders that the child may make, for data: the folder for temporary files may be in memory."""
    return (Path("/var/tmp") / name,)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder of this process, gone afterwards, or removed by the next run where this one is killed."""
    folder = temporary(new_name())
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ownerless(name: str) -> bool:
    """Whether a name is one of `new_name` whose process has ended."""
    parts = name.removeprefix(f"{_PREFIX}-").split("-")
    if not name.startswith(f"{_PREFIX}-") or len(parts) != 3 or not all(part.isdigit() for part in parts):
        return False
    owner = tree.stat(int(parts[0]))
    return owner is None or owner.ended or owner.started != int(parts[1])


def remove_leftovers() -> list[str]:
    """Ends processes and removes folders of runs that were killed; what it was, for a note."""

    def orphaned() -> list[int]:
        found = (pid for pid in tree.pids() if pid != os.getpid())
        return [pid for pid in found if _ownerless(tree.environment(pid).get(VARIABLE, "")) and _alive(pid)]

    removed = [tree.command(pid) for pid in orphaned()]
    tree.end(orphaned, lambda: None)
    for place in {Path(tempfile.gettempdir()), Path("/var/tmp")}:
        for folder in place.glob(f"{_PREFIX}-*"):
            if _ownerless(folder.name):
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(str(folder))
    return removed


def _alive(pid: int) -> bool:
    one = tree.stat(pid)
    return one is not None and not one.ended
