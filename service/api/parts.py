"""What the routes stand on, put together by the application."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from harness.data.picture import Picture
from service.catalogue.schema import CatalogueSchema
from service.catalogue.store import Store
from service.events.clocks import Clocks
from service.events.store import EventStore
from service.limits.deadline import Deadline
from service.limits.gate import Gate
from service.limits.threads import Threads
from service.memory.facets import Facet
from service.retrieval.values import Answer, Request, User
from service.settings.keys import KeyRing
from service.settings.model import Settings
from service.telemetry.telemetry import Telemetry
from service.writing.destination import Encoder

if TYPE_CHECKING:
    from service.limits.rates import Rates


class Retrieval(Protocol):
    """Answers requests."""

    async def answer(self, request: Request, deadline: Deadline) -> Answer:
        """Raises InvalidRequestError, OverloadedError, TimeoutError and StoreError."""

    def facets(self, most: int) -> Sequence[Facet]:
        """The values of each field, of which `most` are named. Blocks. Raises StoreError."""


class ServedIndex(Protocol):
    """The index that follows the catalogue. Its methods block."""

    def wait(self, seq: int, timeout_s: float) -> bool:
        """Whether the change at this place of the outbox became searchable in time."""

    def state(self) -> Mapping[str, Any]:
        """How it stands, for people: generation, place in the outbox, count, failures."""

    def ready(self) -> str:
        """Why it cannot answer; "" where it can."""

    def check(self) -> Mapping[str, Any]:
        """How it differs from the catalogue: by kind (missing, stale, extra) how many, and some ids."""

    def rebuild(self) -> Mapping[str, Any]:
        """Builds another one beside it, and takes that in its place; how it stands then."""


class Users(Protocol):
    """Those who are known by id."""

    def find(self, id_: str) -> User | None:
        """What is known of a user; None where nothing is. Blocks."""

    def examples(self, most: int) -> tuple[int, Mapping[str, User]]:
        """How many users there are to show as examples, and so many of them by id. Blocks."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The whole service as its routes see it.

    gate: before questions, so that what cannot be answered in time is turned away before work is done for it. encoder:
    None where vectors have to be given. users: those that are known by id. picture: how vectors are shown, None where
    they are no pictures. keys: None where anybody on this machine may do anything. rates: of each key, None where there
    is no limit. reading, writing: threads for the store's calls; operating: for calls that take minutes; measuring: for
    `/metrics`, also while no other thread comes back. about: what `GET /v1/service` tells. clocks: which moments of
    events are believed.
    """

    settings: Settings
    store: Store
    index: ServedIndex
    retrieval: Retrieval
    gate: Gate
    encoder: Encoder | None
    users: Users
    picture: Picture | None
    keys: KeyRing | None
    rates: Rates | None
    reading: Threads
    writing: Threads
    waiting: Threads
    operating: Threads
    measuring: Threads
    telemetry: Telemetry
    about: Mapping[str, Any]
    events: EventStore
    clocks: Clocks
    clock: Callable[[], float] = time.monotonic
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    @property
    def schema(self) -> CatalogueSchema:
        """What listings consist of."""
        return self.store.schema

    def deadline(self) -> Deadline:
        """Of a request that begins now."""
        return Deadline.after(self.clock(), self.settings.deadline_ms / 1000)

    def write_deadline(self) -> Deadline:
        """Of a write that begins now."""
        return Deadline.after(self.clock(), self.settings.write_deadline_ms / 1000)
