"""Collections opened, built and removed, one generation at a time; which of them is live is not decided here."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Lock

from engines.base import EngineError
from service.catalogue.store import Store
from service.indexing import apart
from service.indexing.collection import Collection, EngineChoice, RetiredError
from service.indexing.following import PAGE, Follower
from service.indexing.generations import PREFIX, Generation, Generations

_REFRESH_S = 1.0  # at most so often an engine that shows writes only then is refreshed, unless someone waits


@dataclass(slots=True)
class Built:
    """A collection that can answer, and what keeps it up with the catalogue.

    searchable: the place in the outbox up to which it shows everything. refreshed_at: when it was last refreshed.
    """

    generation: Generation
    collection: Collection
    follower: Follower
    searchable: int = 0
    refreshed_at: float = field(default_factory=time.monotonic)

    def advance(self, *, waited_for: bool) -> bool:
        """Applies what has been written, some at a time; whether there is more. waited_for: somebody waits for it.

        Raises what store and engine raise.
        """
        more = self.follower.advance() == PAGE
        collection, now = self.collection, time.monotonic()
        if not collection.immediate and collection.written:
            due = now - self.refreshed_at >= _REFRESH_S or collection.was_empty
            if due or waited_for:
                collection.refresh()
                self.refreshed_at = now
        if collection.immediate or not collection.written:
            self.searchable = self.follower.applied
        return more


class Builder:
    """Builds what a choice says, in folders of their own below `folder`. stopping: ends a build under way."""

    def __init__(self, store: Store, choice: EngineChoice, folder: Path, stopping: Event) -> None:
        self._store, self._choice, self._folder, self._stopping = store, choice, folder, stopping

    def _collection(self, choice: EngineChoice, generation: Generation) -> Collection:
        return Collection(choice, self._store.schema, self._folder / generation.name)

    def opened(self, generation: Generation) -> Built:
        """A collection as an earlier process left it, up with the catalogue.

        Raises EngineError where it cannot be opened or has not as many listings as the catalogue.
        """
        built = self._reached(generation)
        held, there = built.collection.count(), self._store.count()
        if held != there and built.follower.applied == self._store.last_seq():
            built.collection.close()
            raise EngineError(f"it holds {held:,} of {there:,} listings")
        return built

    def _reached(self, generation: Generation) -> Built:
        collection = self._collection(self._choice, generation)
        built = Built(generation, collection, Follower(self._store, collection, generation.applied))
        try:
            collection.open()
            self._catch_up(built)
            if not collection.immediate:
                collection.refresh()
        except BaseException:
            collection.close()
            raise
        collection.serve()
        return built

    def filled(self, generation: Generation) -> Built:
        """A new collection, up with the catalogue. Raises what engine and store raise."""
        collection = self._collection(self._choice, generation)
        built = Built(generation, collection, Follower(self._store, collection))
        try:
            collection.create()
            self._catch_up(built)
            collection.refresh()
        except BaseException:
            collection.close()
            raise
        collection.serve()
        return built

    def filled_beside(self, generation: Generation) -> Built:
        """The same while another one answers, which is not to notice: by a process of its own where the engine works
        within this one and opens what was closed.
        """
        capabilities = self._choice.kind.capabilities
        if capabilities.server or not capabilities.persistent:
            return self.filled(generation)
        applied = apart.fill(self._store, self._choice, self._folder / generation.name, self._stopping)
        return self._reached(replace(generation, applied=applied))

    def _catch_up(self, built: Built) -> None:
        built.follower.catch_up(self._store.last_seq(), self._stopping.is_set)
        if self._stopping.is_set():
            raise RetiredError("the index is being closed")

    def remove(self, generation: Generation) -> None:
        """Removes a collection that nothing uses, or what there is of one. Raises what its engine raises."""
        choice = EngineChoice.restored(generation.engine, generation.index)
        self._collection(choice, generation).drop()

    def remove_unknown(self, known: set[str]) -> None:
        """Removes folders of no generation, such as one that a process was writing to while it was killed."""
        for path in self._folder.glob(f"{PREFIX}*"):
            if path.name not in known:
                shutil.rmtree(path, ignore_errors=True)


class Former:
    """Collections that are not live: former ones, and those that a killed process had begun.

    grace_s: for which other processes may still ask one that was live. asked: the one that they may ask now, where this
    process has it open.
    """

    def __init__(self, builder: Builder, stopping: Event, grace_s: float) -> None:
        self._builder, self._stopping, self.grace_s = builder, stopping, grace_s
        self._asked_until = 0.0
        self.asked: Built | None = None

    def replaced(self, built: Built | None) -> None:
        """One that was live until now is so no more; None: it may be any."""
        self._asked_until = time.monotonic() + self.grace_s
        if self.grace_s:
            self.asked = built

    def outlasted(self) -> bool:
        """Waits until no other process asks them; False where this one ends before, and leaves them to the next."""
        left_s = self._asked_until - time.monotonic()
        return left_s <= 0 or not self._stopping.wait(left_s)

    def remove(self, generations: Generations, passes: Lock) -> None:
        """Removes all of them that can be. passes: held while the note is changed."""
        if not self.outlasted():
            return
        for other in tuple(generations.others):
            with suppress(Exception):  # the live one answers; what is left is counted, and tried again
                self._builder.remove(other)
                with passes:
                    generations.forget(other)
