"""The exceptions that end a command, and the exit code of each."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class BakeoffError(Exception):
    """Base of every expected failure: shown as one message, without a traceback."""

    exit_code = 1


class ConfigurationError(BakeoffError):
    """The input is wrong. Carries every problem found, one line each: file, key, value and remedy."""

    exit_code = 104

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class DatasetError(BakeoffError):
    """A dataset cannot be had or is damaged."""


class MeasurementError(BakeoffError):
    """A measurement could not be made or stored."""


class ServerFailedError(MeasurementError):
    """A server could not be started or has died; the message says why, with the last lines of its log."""


class GateFailedError(BakeoffError):
    """A threshold broke or a regression is outside tolerance and noise."""

    exit_code = 99


@contextmanager
def noting(problems: list[str], place: str = "") -> Iterator[None]:
    """Adds the problems of a ConfigurationError raised inside to `problems`, so that one run names them all.

    place: what each begins with, such as the file that they are of.
    """
    try:
        yield
    except ConfigurationError as error:
        problems += [f"{place}{line}" for line in error.problems]


def unwritable(error: OSError) -> str:
    """Why a file cannot be written, and what helps."""
    remedy = "free some space" if error.errno in _NO_ROOM else "make its folder one that can be written to"
    return f"cannot be written ({error.strerror or error}); {remedy}"
