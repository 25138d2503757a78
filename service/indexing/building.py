"""Collections opened, built and removed, one generation at a time; which of them is live is not decided here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Event

from engines.base import EngineError
from engines.registry import load
from service.catalogue.store import Store
from service.indexing.collection import Collection, EngineChoice, RetiredError
from service.indexing.following import Follower
from service.indexing.generations import Generation


@dataclass(slots=True)
class Built:
    """A collection that can answer, and what keeps it up with the catalogue."""

    generation: Generation
    collection: Collection
    follower: Follower


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
        collection = self._collection(self._choice, generation)
        built = Built(generation, collection, Follower(self._store, collection, generation.applied))
        try:
            collection.open()
            self.catch_up(built)
            if (held := collection.count()) != (there := self._store.count()):
                raise EngineError(f"it holds {held:,} of {there:,} listings")
        except BaseException:
            collection.close()
            raise
        return built

    def filled(self, generation: Generation) -> Built:
        """A new collection, up with the catalogue. Raises what engine and store raise."""
        collection = self._collection(self._choice, generation)
        built = Built(generation, collection, Follower(self._store, collection))
        try:
            collection.create()
            self.catch_up(built)
        except BaseException:
            collection.close()
            raise
        return built

    def catch_up(self, built: Built) -> None:
        """Applies everything up to now and makes it searchable. Raises RetiredError once it is to stop."""
        built.follower.catch_up(self._store.last_seq(), self._stopping.is_set)
        if self._stopping.is_set():
            raise RetiredError("the index is being closed")
        built.collection.refresh()
        built.collection.serving = True

    def remove(self, generation: Generation) -> None:
        """Removes a collection that nothing uses, or what there is of one. Raises what its engine raises."""
        kind = load(generation.engine)
        index = kind.IndexParams.model_validate_json(generation.index)
        self._collection(EngineChoice(generation.engine, kind, index, kind.SearchParams()), generation).drop()
