"""What is going to be served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.abilities import require_fields
from engines.base import UnsupportedError
from harness.errors import ConfigurationError, noting
from harness.progress import Progress
from service.application.planning.schema import fill_of, schema_of
from service.application.users.simulated import taste_fields
from service.catalogue.schema import CatalogueSchema
from service.indexing.collection import EngineChoice
from service.ingestion.kafka.client import options_of
from service.settings.decision import Chosen, choose, read_decision
from service.settings.keys import KeyRing, read_keys
from service.settings.model import LOCAL, Settings

if TYPE_CHECKING:
    from harness.data.dataset import Dataset
    from harness.data.picture import Picture
    from models.encoding.model import Model


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it checked, and nothing of it open yet.

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

    @property
    def shared(self) -> bool:
        """Whether other processes may have a part in the index."""
        return _is_shareable(self.engine) and (self.settings.workers > 1 or self.settings.store is not None)


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
    if settings.workers > 1 and engine is not None and not _is_shareable(engine):
        problems.append(
            f"workers: {settings.workers} processes cannot have {engine.name} open at once, which works within one; "
            "take an engine on a server (bakeoff engines lists them), or workers: 1"
        )
    if problems or chosen is None or engine is None:
        raise ConfigurationError(problems)
    text = engine.kind.capabilities.text
    schema = schema_of(settings.catalogue, dataset, model, fill_of(ref), engine_text=text)
    try:
        require_fields(engine.kind.capabilities, schema.engine)
    except UnsupportedError as error:
        raise ConfigurationError(
            f"engine {engine.name}: {error}; take another engine (bakeoff engines lists them), or leave these out"
        ) from error
    if unfit := settings.retrieval.options().problems(schema.engine):
        raise ConfigurationError([f"retrieval.{line}" for line in unfit])
    if picture is not None and (problem := picture.problem(schema.engine.dim)):
        raise ConfigurationError(f"dataset {ref}: {problem}")
    if settings.simulated_users:
        tastes = taste_fields(settings.tastes, schema.engine)
    name = dataset.name if dataset is not None else model.identity.name if model is not None else "catalogue"
    folder = Path(settings.data) if settings.data else Path("served") / name
    return Plan(settings, chosen, engine, dataset, model, schema, keys, folder, picture, tastes, kafka)


def _is_shareable(engine: EngineChoice) -> bool:
    """Whether several processes may ask one collection, each by a connection of its own."""
    return engine.kind.capabilities.server and engine.kind.capabilities.multi_process


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


def _published(model: Model) -> str | None:
    """The data set that training has left in a model's folder."""
    from models.encoding.model import DATASET

    folder = model.folder / DATASET
    return str(folder) if folder.is_dir() else None
