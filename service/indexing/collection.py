"""An engine's collection that listings are projected into while it answers queries."""

from __future__ import annotations

import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ValidationError

from engines.abilities import FullText, Lookup, Remote
from engines.base import Batch, Engine, EngineError, Hits, Vectors
from engines.registry import MissingClientError, UnknownEngineError, load
from harness.errors import ConfigurationError
from harness.scenario.strict import explain
from service.catalogue.listing import Listing
from service.catalogue.schema import CatalogueSchema
from service.indexing.batches import as_batch
from service.indexing.lock import SharedLock

if TYPE_CHECKING:
    from engines.filters import Filter

_TURN_S = 0.005  # for which queries may have to wait for rows that are written
_MOST_ROWS = 256  # in such a turn
_WORN_LEAST = 1000  # rows


class RetiredError(EngineError):
    """The collection is closed: another one has taken its place, or the service ends."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine by the name of its adapter, with the parameters that it is built and searched with."""

    name: str
    kind: type[Engine]
    index: BaseModel
    search: BaseModel

    @classmethod
    def of(cls, name: str, index: Mapping[str, object], search: Mapping[str, object]) -> EngineChoice:
        """By parameters as a decision or a configuration names them. Raises ConfigurationError with every problem."""
        try:
            kind = load(name)
        except (UnknownEngineError, MissingClientError) as error:
            raise ConfigurationError(str(error)) from error
        made: list[BaseModel] = []
        problems: list[str] = []
        for part, model, given in (("index", kind.IndexParams, index), ("search", kind.SearchParams, search)):
            try:
                made.append(model(**given))
            except ValidationError as error:
                problems += explain(error, f"{name}: {part}", given, model)
        if problems:
            raise ConfigurationError(problems)
        return cls(name, kind, *made)

    @classmethod
    def restored(cls, name: str, index: str) -> EngineChoice:
        """What was noted of one: its name, and its index parameters as JSON. It searches as it does by default."""
        kind = load(name)
        return cls(name, kind, kind.IndexParams.model_validate_json(index), kind.SearchParams())


class Collection:
    """A projection (see `following`): one engine in a folder of its own. Queries may come from any thread.

    Where the engine cannot take writes beside queries, they take turns.

    Once it serves, an embedded engine is given few rows at a time: it has the processors of the queries, and in some
    bindings Python's lock.
    """

    def __init__(self, choice: EngineChoice, schema: CatalogueSchema, path: Path) -> None:
        self._schema, self._path = schema, path
        path.mkdir(parents=True, exist_ok=True)
        self._engine = choice.kind(path, choice.index)
        self._search = choice.search
        self._lock = SharedLock()
        self._open = False
        self._serving = False
        self._served_with = 0  # listings when that began
        self._since = 0  # rows written since
        self._turn_rows = 8
        self.written = 0  # rows, since the last refresh
        self._settled = 0  # listings at that time

    @property
    def engine(self) -> Engine:
        """The engine itself; its writes are this object's business."""
        return self._engine

    @property
    def embedded(self) -> bool:
        """Whether the engine works within this process."""
        return not self._engine.capabilities.server

    @property
    def immediate(self) -> bool:
        """Whether what was applied is searchable at once, without `refresh`."""
        return self._engine.capabilities.immediate

    def create(self) -> None:
        """Begins an empty one. Raises EngineError and whatever the client raises."""
        self._engine.create(self._schema.engine)
        self._begin()

    def open(self) -> None:
        """Opens what is there. Raises EngineError where that is nothing, or of another schema or model."""
        if not self._engine.capabilities.server and not any(self._path.iterdir()):
            raise EngineError(f"{self._path} holds no collection")
        self._engine.open(self._schema.engine)
        self._begin()
        self._settled = self.count()

    def _begin(self) -> None:
        self._engine.configure(self._search)
        self._open = True

    def apply(self, present: Sequence[Listing], removed: Sequence[int]) -> None:
        """Makes the collection hold these listings as they are, and not the removed numbers."""
        first = 0
        while first < len(present):
            rows = self._turn_rows if self._serving and self.embedded else len(present)
            batch = as_batch(present[first : first + rows], self._schema)
            with self._writing():
                began = time.perf_counter()
                self._engine.index(batch)
                took_s = time.perf_counter() - began
            first += rows
            # Towards as many as fit a turn, by a factor of two at most: one slow turn says little.
            fitting = len(batch) * min(2.0, max(0.5, _TURN_S / took_s)) if took_s else _MOST_ROWS
            self._turn_rows = min(_MOST_ROWS, max(1, int(fitting)))
        if removed:
            with self._writing():
                self._engine.delete(np.array(removed, np.int64))
        self.written += len(present) + len(removed)
        self._since += len(present) + len(removed)

    def refresh(self) -> None:
        """Makes everything applied searchable, and has the engine put in order what it holds."""
        with self._writing():
            self._engine.refresh()
        self._settled, self.written = self.count(), 0

    def serve(self) -> None:
        """From now on it answers queries."""
        self._serving, self._served_with, self._since = True, self.count(), 0

    @property
    def worn(self) -> bool:
        """Whether it pays to build it anew, as much having been written since it serves as it held then: an embedded
        engine may keep former rows, or rows outside of its graph. Servers put theirs in order by themselves, but may
        have no index yet where there was nothing at first.
        """
        ages = self.embedded or not self._served_with
        return ages and self._since >= max(_WORN_LEAST, self._served_with)

    @property
    def was_empty(self) -> bool:
        """Whether there was nothing at the last refresh: some indexes can be searched only after one that had."""
        return not self._settled

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        """As the engine's; ids are listings' numbers. Raises EngineError once closed."""
        with self._reading():
            return self._engine.query(vector, k, where, exact=exact)

    def match(self, text: str, k: int, where: Filter | None = None) -> Hits:
        """As `FullText.match`. Raises EngineError where the engine does not rank by words."""
        if not isinstance(self._engine, FullText):
            raise EngineError(f"{self._engine.version()} does not rank by words")
        with self._reading():
            return self._engine.match(text, k, where)

    def get(self, numbers: Iterable[int]) -> Batch:
        """As `Lookup.get`. Raises EngineError where the engine fetches nothing by its id."""
        if not (self._engine.capabilities.lookup and isinstance(self._engine, Lookup)):
            raise EngineError(f"{self._engine.version()} fetches nothing by its id")
        with self._reading():
            return self._engine.get(np.fromiter(numbers, np.int64))

    def count(self) -> int:
        """How many listings it holds."""
        with self._reading():
            return self._engine.count()

    def close(self) -> None:
        """Waits for what is under way and lets go; a second call does nothing."""
        with self._lock.alone():
            self._open = False
            self._engine.close()

    def drop(self) -> None:
        """Closes it, and removes it from its server and its folder."""
        with self._lock.alone():
            self._open = False
            if isinstance(self._engine, Remote):
                self._engine.drop()
            self._engine.close()
            shutil.rmtree(self._path, ignore_errors=True)

    def _reading(self) -> AbstractContextManager[None]:
        return self._held(shared=self._engine.capabilities.thread_safe)

    def _writing(self) -> AbstractContextManager[None]:
        return self._held(shared=self._engine.capabilities.thread_safe_writes)

    @contextmanager
    def _held(self, *, shared: bool) -> Iterator[None]:
        with self._lock.shared() if shared else self._lock.alone():
            if not self._open:
                raise RetiredError(f"the collection in {self._path} is closed")
            yield


class Asking(ABC):
    """Who is asked as a collection is, and passes it on to the one that is live. Queries may come from any thread."""

    @abstractmethod
    def asked(self, ask: Callable[[Collection], Hits]) -> Hits:
        """What `ask` returns of a collection that was live when it was asked."""

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        """The k listings nearest to `vector` (float32[dim]) that match, by their numbers. Raises EngineError."""
        return self.asked(lambda collection: collection.query(vector, k, where, exact=exact))

    def match(self, text: str, k: int, where: Filter | None = None) -> Hits:
        """The k listings with the highest BM25, where the engine ranks by words. Raises EngineError."""
        return self.asked(lambda collection: collection.match(text, k, where))
