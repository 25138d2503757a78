"""PostgreSQL with pgvector from a wheel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engines.pgvector import local
from tests.servers.launch import UnavailableError


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Starts it with its data in `folder` and yields its URL; stops it at the end. Raises UnavailableError."""
    try:
        local.installed()
    except local.MissingServerError as error:
        raise UnavailableError(str(error)) from error
    with local.running(folder, cpus=2, memory_bytes=1 << 30) as launched:
        yield launched.settings["URL"]
