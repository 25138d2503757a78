"""The parts of the service, opened in the order in which they need each other and closed in the opposite one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from harness.progress import Progress
from service.api.parts import Parts
from service.application.opening.about import about
from service.application.opening.catalogue import Say, encoder_of, fill, open_catalogue
from service.application.opening.index import start_index
from service.application.opening.observing import observing
from service.application.opening.served import Served
from service.application.opening.topic import follow
from service.application.planning.plan import Plan
from service.application.users.known import known_users
from service.application.users.simulated import simulated_users
from service.events.clocks import Clocks
from service.events.opening import open_events
from service.ingestion.figures import Figures
from service.limits.adaptive import AdaptiveLimit
from service.limits.gate import Gate
from service.limits.threads import Threads
from service.retrieval.retrieval import Retrieval
from service.retrieval.users import UserVectors
from service.retrieval.values import User
from service.telemetry.recall import Sampled
from service.telemetry.standing import Watched

if TYPE_CHECKING:
    from service.limits.rates import Rates

# Calls of the catalogue that may wait for a thread; admission turns questions away long before.
_WAITING = 10_000
_WAITERS = 64  # who wait until their writes are searchable, each in a thread that does nothing


def opened(made: Plan, stack: ExitStack, *, progress: Progress, say: Say, version: str) -> Parts:
    """Opens and fills everything; `stack` closes it again. Blocks for as long as the index takes to build.

    Raises ConfigurationError, StoreError and what the engine raises.
    """
    settings, engine = made.settings, made.engine
    store = open_catalogue(made, stack)
    events = open_events(settings.store, made.folder)
    stack.callback(events.close)

    def prepare() -> None:
        fill(store, made, progress, say)
        progress("building the index", 0, None)

    index = start_index(store, engine, made.folder / "index", stack, prepare, shared=made.shared)
    if index.built_because:
        say(f"the index was built: {index.built_because}")
    vectors = UserVectors(store, made.schema.engine, None if made.model is None else made.model.encoder)
    sampled = Sampled(index, settings.telemetry.recall_share)
    retrieval = Retrieval(store, {"live": sampled}, {"live": vectors}, settings.retrieval.options())
    stack.callback(retrieval.close)
    progress("reading the catalogue", 0, None)
    retrieval.load()

    def threads(name: str, count: int) -> Threads:
        found = Threads(name, count, _WAITING)
        stack.callback(found.close)
        return found

    reading, writing = threads("reading", settings.threads), threads("writing", settings.threads)
    waiting, operating, measuring = (
        threads("waiting", _WAITERS),
        threads("operating", 2),
        threads("measuring", 1),
    )
    gate = Gate(AdaptiveLimit(settings.admission.options(settings.retrieval.threads)))
    figures = None if made.kafka is None else Figures()
    label = made.schema.engine.model
    watched = Watched(gate, retrieval.breakers, index.status, version, engine.name, label, figures)
    telemetry = observing(settings, watched, engine.search.model_dump(mode="json"), sampled)
    stack.callback(telemetry.close)
    store.subscribe(lambda seq: telemetry.freshness.durable(seq) if index.leads else None)
    index.subscribe(telemetry.freshness.searchable)
    parts = Parts(
        settings=settings,
        store=store,
        index=Served(index, store),
        retrieval=retrieval,
        gate=gate,
        encoder=encoder_of(made),
        users=known_users(made.model, events, _simulated(made, retrieval, say)),
        picture=made.picture,
        keys=made.keys,
        rates=_rates(settings.limits.rate),
        reading=reading,
        writing=writing,
        waiting=waiting,
        operating=operating,
        measuring=measuring,
        telemetry=telemetry,
        about=about(made, version, reads_text=vectors.reads_text),
        events=events,
        clocks=Clocks(settings.events.ahead_s, settings.events.days),
    )
    if figures is not None:
        follow(parts, made, figures, index, stack)
    return parts


def _simulated(made: Plan, retrieval: Retrieval, say: Say) -> Mapping[str, User]:
    if not made.settings.simulated_users:
        return {}
    found = simulated_users(made.settings.simulated_users, made.tastes, retrieval.stock)
    say(f"{len(found)} simulated users, by {' and '.join(made.tastes)}")
    return found


def _rates(text: str | None) -> Rates | None:
    if text is None:
        return None
    from service.limits.rates import Rates  # not sooner, for `limits` takes a while to import

    return Rates(text)
