"""The parts of the service, opened in the order in which they need each other and closed in the opposite one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigurationError, noting
from harness.progress import Progress
from service.api.parts import Parts
from service.application.catalogue import fill_of, schema_of
from service.application.index import is_shareable, start_index
from service.application.loading import load
from service.application.observing import observing
from service.application.served import Served
from service.application.simulated import simulated_users, taste_fields
from service.application.topic import following
from service.application.users import known_users
from service.catalogue.opening import catalogue_place, open_store
from service.catalogue.schema import CatalogueSchema
from service.catalogue.sql import SqlStore
from service.events.clocks import Clocks
from service.events.opening import open_events
from service.indexing.collection import EngineChoice
from service.ingestion.figures import Figures
from service.ingestion.kafka.client import options_of
from service.limits.adaptive import AdaptiveLimit
from service.limits.gate import Gate
from service.limits.threads import Threads
from service.retrieval.retrieval import Retrieval
from service.retrieval.users import UserVectors
from service.retrieval.values import User
from service.settings.decision import Chosen, choose, read_decision
from service.settings.keys import KeyRing, read_keys
from service.settings.model import LOCAL, Settings
from service.telemetry.recall import Sampled
from service.telemetry.standing import Watched
from service.writing.destination import Encoder

if TYPE_CHECKING:
    from harness.data.dataset import Dataset
    from harness.data.picture import Picture
    from models.encoding.model import Model
    from service.limits.rates import Rates

# Calls of the catalogue that may wait for a thread; admission turns questions away long before.
_WAITING = 10_000
_WAITERS = 64  # who wait until their writes are searchable, each in a thread that does nothing
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is going to be served, all of it checked, and nothing of it open yet.

    dataset: whose listings an empty catalogue begins with. folder: of catalogue and index. picture: how vectors are
    shown, None where they are no pictures. tastes: the fields by which simulated users choose. kafka: what a
    consumer is made with, None where nothing comes from Kafka.
    """

    settings: Settings
    chosen: Chosen
    engine: EngineChoice
    dataset: Dataset | None
    model: Model | None
    schema: CatalogueSchema
    keys: KeyRing | None
    folder: Path
    picture: Picture | None
    tastes: tuple[str, ...]
    kafka: Mapping[str, Any] | None


def plan(settings: Settings, *, cache: Path, progress: Progress) -> Plan:
    """Raises ConfigurationError with every problem of what the settings name."""
    problems: list[str] = []
    chosen = engine = dataset = model = keys = picture = kafka = None
    tastes: tuple[str, ...] = ()
    with noting(problems):
        decision = read_decision(Path(settings.decision)) if settings.decision else None
        chosen = choose(decision, settings.engine, settings.index, settings.search)
        engine = EngineChoice.of(chosen.adapter, chosen.index, chosen.search)
    with noting(problems):
        model = _model(Path(settings.model)) if settings.model else None
    ref = settings.dataset or (_published(model) if model else None)
    with noting(problems):
        dataset = _dataset(ref, cache, progress) if ref else None
        picture = _picture(ref) if ref else None
    with noting(problems):
        keys = read_keys(Path(settings.keys)) if settings.keys else None
    with noting(problems):
        kafka = options_of(settings.ingest.kafka)
    if settings.keys is None and settings.host not in LOCAL:
        problems.append(
            f"keys: are needed to listen on {settings.host}, where others can reach it; make one with bakeoff service "
            "key, or listen on 127.0.0.1"
        )
    if settings.keys is None and settings.limits.rate is not None:
        problems.append(
            f"limits.rate: {settings.limits.rate} is of each key, and there are no keys; name a file with keys, or "
            "leave rate out"
        )
    if settings.workers > 1 and engine is not None and not is_shareable(engine):
        problems.append(
            f"workers: {settings.workers} processes cannot have {engine.name} open at once, which works within one; "
            "take an engine on a server (bakeoff engines lists them), or workers: 1"
        )
    if problems or chosen is None or engine is None:
        raise ConfigurationError(problems)
    text = engine.kind.capabilities.text
    schema = schema_of(settings.catalogue, dataset, model, fill_of(ref), engine_text=text)
    if unfit := settings.retrieval.options().problems(schema.engine):
        raise ConfigurationError([f"retrieval.{line}" for line in unfit])
    if picture is not None and (problem := picture.problem(schema.engine.dim)):
        raise ConfigurationError(f"dataset {ref}: {problem}")
    if settings.simulated_users:
        tastes = taste_fields(settings.tastes, schema.engine)
    name = dataset.name if dataset is not None else model.identity.name if model is not None else "catalogue"
    folder = Path(settings.data) if settings.data else Path("served") / name
    return Plan(settings, chosen, engine, dataset, model, schema, keys, folder, picture, tastes, kafka)


# What reads models and data sets is imported by services that have them: it takes a third of the time of a start.
def _model(folder: Path) -> Model:
    from models.encoding.model import Model

    return Model.load(folder)


def _dataset(ref: str, cache: Path, progress: Progress) -> Dataset:
    from harness.data.catalogue import load_dataset

    return load_dataset(ref, cache=cache, progress=progress)


def _picture(ref: str) -> Picture | None:
    from harness.data.catalogue import picture_of

    return picture_of(ref)


def _rates(text: str | None) -> Rates | None:
    if text is None:
        return None
    from service.limits.rates import Rates  # not sooner, for `limits` takes a while to import

    return Rates(text)


def _published(model: Model) -> str | None:
    """The data set that training has left in a model's folder."""
    from models.encoding.model import DATASET

    folder = model.folder / DATASET
    return str(folder) if folder.is_dir() else None


def opened(made: Plan, stack: ExitStack, *, progress: Progress, say: Say, version: str) -> Parts:
    """Opens and fills everything; `stack` closes it again. Blocks for as long as the index takes to build.

    Raises ConfigurationError, StoreError and what the engine raises.
    """
    settings, model = made.settings, made.model
    store = _opened_store(made, stack)
    events = open_events(settings.store, made.folder)
    stack.callback(events.close)

    def prepare() -> None:
        _fill(store, made, progress, say)
        progress("building the index", 0, None)

    shared = is_shareable(made.engine) and (settings.workers > 1 or settings.store is not None)
    index = start_index(store, made.engine, made.folder / "index", stack, prepare, shared=shared)
    if index.built_because:
        say(f"the index was built: {index.built_because}")
    users = UserVectors(store, made.schema.engine, None if model is None else model.encoder)
    sampled = Sampled(index, settings.telemetry.recall_share)
    retrieval = Retrieval(store, {"live": sampled}, {"live": users}, settings.retrieval.options())
    stack.callback(retrieval.close)
    progress("reading the catalogue", 0, None)
    retrieval.load()
    simulated: Mapping[str, User] = {}
    if settings.simulated_users:
        simulated = simulated_users(settings.simulated_users, made.tastes, retrieval.stock)
        say(f"{len(simulated)} simulated users, by {' and '.join(made.tastes)}")
    sizes = {
        "reading": settings.threads,
        "writing": settings.threads,
        "waiting": _WAITERS,
        "operating": 2,
        "measuring": 1,
    }
    threads = {name: Threads(name, count, _WAITING) for name, count in sizes.items()}
    for one in threads.values():
        stack.callback(one.close)
    gate = Gate(AdaptiveLimit(settings.admission.options()))
    about = _about(made, version, reads_text=users.reads_text)
    model_name, engine = about["model"] or "", made.engine
    ingested = None if made.kafka is None else Figures()
    watched = Watched(gate, retrieval.breakers, index.status, version, engine.name, model_name, ingested)
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
        users=known_users(model, events, simulated),
        picture=made.picture,
        keys=made.keys,
        rates=_rates(settings.limits.rate),
        reading=threads["reading"],
        writing=threads["writing"],
        waiting=threads["waiting"],
        operating=threads["operating"],
        measuring=threads["measuring"],
        telemetry=telemetry,
        about=about,
        events=events,
        clocks=Clocks(settings.events.ahead_s, settings.events.days),
    )
    if made.kafka is not None and ingested is not None:
        arrivals = telemetry.arrivals
        index.subscribe(arrivals.searchable)

        def written(seq: int, made_ms: Sequence[int]) -> None:
            if index.leads:  # others are not told what has become searchable
                arrivals.written(seq, made_ms)

        topic = following(parts, made.kafka, made.folder, ingested, written)
        stack.callback(topic.stop)
        topic.start()
    return parts


def opened_store(made: Plan, stack: ExitStack, *, progress: Progress, say: Say) -> SqlStore:
    """The catalogue, filled where it is empty; `stack` closes it again. Raises ConfigurationError and StoreError."""
    store = _opened_store(made, stack)
    _fill(store, made, progress, say)
    return store


def _opened_store(made: Plan, stack: ExitStack) -> SqlStore:
    made.folder.mkdir(parents=True, exist_ok=True)
    store = open_store(catalogue_place(made.settings.store, made.folder), made.schema)
    stack.callback(store.close)
    return store


def _fill(store: SqlStore, made: Plan, progress: Progress, say: Say) -> None:
    if made.dataset is not None:
        load(store, made.dataset, progress, say)


def encoder_of(made: Plan) -> Encoder | None:
    """What makes the vectors that documents lack."""
    if made.model is None:
        return None
    from models.encoding.documents import ListingTower

    return ListingTower(made.model, made.schema.fill)


def _about(made: Plan, version: str, *, reads_text: bool) -> dict[str, Any]:
    """What is served, in words. reads_text: whether a text can be ranked by its vector."""
    schema, chosen = made.schema, made.chosen
    picture: dict[str, Any] | None = None
    if schema.picture is not None:
        picture = {"detail": schema.picture}
    elif made.picture is not None:
        picture = {"pixels": list(made.picture.pixels)}
    by_words, by_vector = ["text"] if schema.texts else [], ["dense"] if reads_text else []
    return {
        "version": version,
        "engine": {
            "name": chosen.adapter,
            "index": dict(chosen.index),
            "search": dict(chosen.search),
            "why": chosen.why,
        },
        "model": schema.engine.model,
        "metric": schema.engine.metric,
        "dim": schema.engine.dim,
        "fields": {field.name: field.kind for field in schema.engine.fields},
        "details": list(schema.details),
        "texts": list(schema.texts),
        "ranks": [*by_words, *by_vector, *(["fused"] if by_words and by_vector else [])],
        "picture": picture,
    }
