"""Which collection is live, noted in the catalogue: the pointer that a rebuild swaps, and what it left to remove."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any

from engines.base import EngineError, Schema
from engines.values.contents import contents
from service.catalogue.store import Store
from service.indexing.collection import EngineChoice

PREFIX = "catalogue-"  # of every name
NOTE = "collections"


class OvertakenError(EngineError):
    """Another process has changed the note: it keeps the index up now, and this one does not any more."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A collection by its name, which is its folder's too. engine, index: what it was made by, the latter as JSON.

    about: what it holds, see `engines.values.contents`. applied: the place in the outbox up to which it surely is.
    closed: it was written out whole by the process that had it, and no process has opened it since.
    """

    name: str
    engine: str
    index: str
    about: str
    applied: int = 0
    closed: bool = False

    def is_of(self, choice: EngineChoice, schema: Schema) -> bool:
        """Whether it is what this choice would build."""
        return (self.engine, self.about) == (choice.name, contents(schema, choice.index))


def live_in(note: str | None) -> Generation | None:
    """The live collection that a note names."""
    live = None if note is None else json.loads(note)["live"]
    return None if live is None else Generation(**live)


class Generations:
    """The note, read once and written with each change. For one thread at a time.

    What changes it raises OvertakenError, and changes nothing, where another process has changed it since.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._held = store, store.meta(NOTE)
        held: dict[str, Any] = json.loads(self._held or '{"others": [], "made": 0}')
        self.live = live_in(self._held)
        self.others = [Generation(**other) for other in held["others"]]
        self._made: int = held["made"]

    def begin(self, choice: EngineChoice, schema: Schema) -> Generation:
        """A new one, noted before it is made so that it is removed if it never goes live."""
        self._made += 1
        # The random part tells catalogues apart that project into the same server.
        name = f"{PREFIX}{self._made:06}-{uuid.uuid4().hex[:8]}"
        made = Generation(name, choice.name, choice.index.model_dump_json(), contents(schema, choice.index))
        self.others.append(made)
        self._write()
        return made

    def go_live(self, generation: Generation, applied: int) -> None:
        """Points to another one; the former becomes one to remove."""
        former = [] if self.live is None else [self.live]
        self.others = [other for other in (*self.others, *former) if other.name != generation.name]
        self.live = replace(generation, applied=applied)
        self._write()

    def note(self, applied: int, *, closed: bool = False) -> None:
        """How far the live one is, and whether it has been closed there."""
        if self.live is not None and (self.live.applied, self.live.closed) != (applied, closed):
            self.live = replace(self.live, applied=applied, closed=closed)
            self._write()

    def forget(self, generation: Generation) -> None:
        """It has been removed."""
        self.others = [other for other in self.others if other.name != generation.name]
        self._write()

    def names(self) -> set[str]:
        """Of all that there are."""
        return {known.name for known in (self.live, *self.others) if known is not None}

    def _write(self) -> None:
        live = None if self.live is None else asdict(self.live)
        held = {"live": live, "others": [asdict(other) for other in self.others], "made": self._made}
        note = json.dumps(held)
        if not self._store.replace_meta(NOTE, self._held, note):
            raise OvertakenError("another process keeps the index up now")
        self._held = note
