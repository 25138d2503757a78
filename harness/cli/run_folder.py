"""The folder of a run: which one it is, whether it can be written, and the link to the newest."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile

from harness.errors import ConfigurationError, MeasurementError, unwritable

_LATEST = "latest"


def existing_folder(out: str | None, runs: str) -> Path:
    """The folder of the run that `--resume` goes on with. Raises ConfigurationError where there is none."""
    run = Path(out) if out else Path(runs) / _LATEST
    if not (run / "result.json").exists():
        raise ConfigurationError(f"--resume: {run} holds no result.json; give the run's folder with --out")
    return run.resolve()


def new_folder(out: str | None, runs: str, scenario: str) -> Path:
    """The folder of a new run. The one that is named by scenario and time is made, so that no other run takes it.

    Raises ConfigurationError for one that holds a run already, MeasurementError where nothing can be written: now,
    not after minutes.
    """
    if out is None:
        return _named_by_time(Path(runs), scenario)
    run = Path(out)
    if (run / "result.json").exists():
        raise ConfigurationError(
            f"--out: {run} holds a run already; add --resume to go on with it, or name another"
        )
    if run.exists() and not run.is_dir():
        raise ConfigurationError(f"--out: {run} is a file; name a folder")
    if run.is_symlink() and not run.exists():
        raise ConfigurationError(
            f"--out: {run} is a link to a folder that is gone; remove it or name another"
        )
    check_writable(run if run.exists() else run.parent)
    return run


def _named_by_time(runs: Path, scenario: str) -> Path:
    check_writable(runs)
    name = f"{scenario[:100]}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    number = 1
    while True:
        run = runs / (name if number == 1 else f"{name}-{number}")
        try:
            run.mkdir()
        except FileExistsError:  # of a run that was started within the same second
            number += 1
        else:
            return run


def check_writable(folder: Path) -> None:
    """Makes a folder if need be and sees that files can be made in it. Raises MeasurementError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise MeasurementError(f"{folder}: {unwritable(error)}, or name another with --out") from error


def remove_if_empty(run: Path) -> None:
    """Removes the folder of a run that has recorded nothing."""
    with contextlib.suppress(OSError):
        run.rmdir()


class Latest:
    """The link `latest` beside the folder of a run, which points at the newest one.

    Its methods return a line for the user, or None: a run goes on without the link.
    """

    def __init__(self, run: Path) -> None:
        self._run, self._link = run, run.parent / _LATEST
        self._former = self._target()

    def link(self) -> str | None:
        """Makes it point at the run. Returns why it does not, where that fails."""
        if self._link == self._run:
            return None
        if self._link.exists() and not self._link.is_symlink():
            kind = "folder" if self._link.is_dir() else "file"
            return f"{self._link} is a {kind} and no link to the newest run; remove it to have one"
        return self._point_at(self._run.name)

    def link_back(self) -> str | None:
        """Makes it point where it did before, after a run in which every cell failed; else whoever opens the newest
        run would find nothing in it. Returns where it points now.
        """
        if self._target() != self._run.name or self._former == self._run.name:
            return None  # another run has begun since, or this is an earlier one that was resumed
        if self._former is not None:
            return self._point_at(self._former) or f"{self._link} points at {self._former} as before"
        try:
            self._link.unlink(missing_ok=True)
        except OSError as error:
            return f"{self._link} still points at this run: {error.strerror}"
        return None

    def _target(self) -> str | None:
        with contextlib.suppress(OSError):
            return str(self._link.readlink())
        return None

    def _point_at(self, target: str) -> str | None:
        temporary = self._run.parent / f".{_LATEST}-{self._run.name[:100]}"
        try:
            temporary.unlink(missing_ok=True)
            temporary.symlink_to(target)
            temporary.replace(self._link)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            return f"{self._link} does not point at {target}: {error.strerror}"
        return None
