"""Users who are known by id: those that a model was published with or that are made up, and those of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from service.events.event import TAKEN, Kind
from service.events.store import EventStore
from service.retrieval.values import Taken, User

if TYPE_CHECKING:
    from models.encoding.model import Model

_FILE = "users.parquet"
_NEWEST = 100  # listings of a user's events; a model says how many it looks at


@dataclass(frozen=True, slots=True)
class KnownUsers:
    """Follows `service.api.parts.Users`. published: by a model, or made up. kinds: of events that count as taking a
    listing, of which the newest `most` listings do.
    """

    published: Mapping[str, User]
    events: EventStore
    kinds: Sequence[Kind]
    most: int

    def find(self, id_: str) -> User | None:
        """What the user took by the events after what the model was published with, each listing in its last place."""
        published, newer = self.published.get(id_), self.events.history(id_, self.kinds, self.most)
        if published is None and not newer:
            return None
        history = {} if published is None else {taken.id: taken for taken in published.history}
        for listing, at_ms in newer:
            history.pop(listing, None)
            history[listing] = Taken(listing, at_ms)
        return User(tuple(history.values()))

    def examples(self, most: int) -> tuple[int, Mapping[str, User]]:
        """How many are published or made up, and so many of them as they are known now."""
        found = {id_: self.find(id_) for id_ in islice(self.published, most)}
        return len(self.published), {id_: user for id_, user in found.items() if user is not None}


def known_users(model: Model | None, events: EventStore, simulated: Mapping[str, User]) -> KnownUsers:
    """Those of a model, of the events and made up ones. Events of a kind that the model did not learn from say nothing
    to it.
    """
    if model is None:
        return KnownUsers(simulated, events, TAKEN, _NEWEST)
    learnt = tuple(kind for kind in TAKEN if kind in model.interactions.events)
    published = {**simulated, **_published(model.folder)}
    return KnownUsers(published, events, learnt or TAKEN, model.encoder.user.weights.longest)


def _published(folder: Path) -> Mapping[str, User]:
    """The held-out users in a model's folder with what they took before."""
    from models.encoding.model import DATASET

    path = folder / DATASET / _FILE
    if not path.is_file():
        return {}
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["user", "history"])
    return {
        str(user): User(tuple(Taken(str(one)) for one in history or ()))
        for user, history in zip(*(column.to_pylist() for column in table.columns), strict=True)
    }
