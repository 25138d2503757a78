"""How far each file has been ingested, noted in the catalogue beside what came of it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from service.catalogue.store import Store
from service.ingestion.files.source import Place
from service.writing.carrying import Operation


@dataclass(frozen=True, slots=True)
class Progress:
    """Of a file with this size and time of its last change, in bytes and ns since 1970. done: to its end."""

    size: int
    modified_ns: int
    place: Place = field(default_factory=Place)
    done: bool = False


class ProgressNotes:
    """The notes of one kind of ingestion: a file that was put may be removed afterwards."""

    def __init__(self, store: Store, operation: Operation) -> None:
        self._store, self._operation = store, operation

    def of(self, path: Path) -> Progress:
        """How far this file is; at its beginning where it has changed since. Raises OSError, StoreError."""
        stat = path.stat()
        fresh = Progress(stat.st_size, stat.st_mtime_ns)
        noted = self._store.meta(self._key(path))
        if noted is None:
            return fresh
        values = json.loads(noted)
        held = Progress(**values | {"place": Place(**values["place"])})
        return held if (held.size, held.modified_ns) == (fresh.size, fresh.modified_ns) else fresh

    def note(self, path: Path, progress: Progress) -> None:
        """Durable once this returns. Raises StoreError."""
        self._store.set_meta(self._key(path), json.dumps(asdict(progress)))

    def _key(self, path: Path) -> str:
        name = os.fsencode(path.resolve()).decode("utf-8", "backslashreplace")  # any bytes make a name
        return f"ingested {self._operation} {name}"
