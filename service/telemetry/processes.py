"""Where the processes of one service keep what they count, so that any of them can tell it for all."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it when it is imported


def share(folder: Path, environ: MutableMapping[str, str]) -> None:
    """Has processes that get this environment count together, from nothing. Called once, before the first begins."""
    folder.mkdir(parents=True, exist_ok=True)
    for former in folder.glob("*.db"):
        former.unlink()
    environ[VARIABLE] = str(folder)


def shared_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where this process counts together with others; None where it is alone."""
    found = environ.get(VARIABLE)
    return Path(found) if found else None


def ended(folder: Path, pid: int) -> None:
    """What a process that has ended had in flight counts no longer; what it counted stays."""
    for gauge in folder.glob(f"gauge_live*_{pid}.db"):
        gauge.unlink(missing_ok=True)
