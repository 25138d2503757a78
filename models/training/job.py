"""A training from configuration to model folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness.errors import ConfigurationError
from harness.progress import Progress as Report
from models.data.interactions import Interactions
from models.data.items import Items
from models.data.split import Split
from models.encoding.encoder import Encoder
from models.encoding.model import TRAINING
from models.encoding.weights import TowerWeights
from models.evaluation.figures import recall
from models.evaluation.nearest import Nearest
from models.evaluation.popularity import Popularity
from models.evaluation.recommender import places
from models.features.encoder import FeatureEncoder
from models.features.features import Features
from models.features.stored import read_values, write_values
from models.training.config import TrainConfig
from models.training.loading import load, split
from models.training.newcomers import with_newcomers

# JAX is loaded once a training begins: what is wrong with configuration or data is said before, seconds earlier.
if TYPE_CHECKING:
    from models.towers.listing import TowerShape
    from models.towers.two_tower import TwoTower
    from models.training.loop.material import Material
    from models.training.loop.trainer import EpochRecord, Progress

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that training and judging start from.

    popularity: of each row of the id table, float32[ids].
    """

    items: Items
    interactions: Interactions
    split: Split
    encoder: FeatureEncoder
    features: Features
    popularity: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A trained model, and how it came about. nearest: its own answers, with the vectors of the whole catalogue."""

    prepared: Prepared
    encoder: Encoder
    nearest: Nearest
    records: tuple[EpochRecord, ...]


def prepare(config: TrainConfig, beside: Path, report: Report) -> Prepared:
    """Reads, splits and encodes the data. Raises ConfigurationError."""
    loaded = load(config, beside, report)
    report("splitting", 0, None)
    try:
        made = split(loaded, config.split, config.training.seed)
    except ConfigurationError as error:
        raise ConfigurationError([*error.problems, *loaded.left_out]) from error
    return encoded(config, loaded.items, loaded.interactions, made, report)


def encoded(
    config: TrainConfig, items: Items, interactions: Interactions, made: Split, report: Report
) -> Prepared:
    """What is read and split, with the features that the configuration asks for. Raises ConfigurationError."""
    report("encoding features", 0, None)
    encoder = FeatureEncoder.fit(items, made.taken, config.features, seed=config.training.seed)
    features = encoder.encode(items)
    popularity = np.zeros(encoder.sizes.ids, np.float32)
    popularity[features.ids] = np.log1p(made.taken) / np.log1p(max(1, made.taken.max()))
    popularity[0] = 0
    return Prepared(items, interactions, made, encoder, features, popularity)


def train(
    config: TrainConfig,
    prepared: Prepared,
    folder: Path,
    report: Report,
    ended: Callable[[EpochRecord], None] = lambda _record: None,
) -> Outcome:
    """Trains, or goes on with what an earlier training of the same configuration left in the folder.

    ended: called after each epoch, once it is saved.
    """
    from models.towers.export import exported
    from models.training.loop.checkpoints import Checkpoints
    from models.training.loop.trainer import Trainer

    trainer = Trainer(
        material_of(config, prepared), shape_of(config, prepared), config.towers, config.training
    )
    longest, popularity = config.training.history, Popularity.in_training(prepared.split)
    cases, k = prepared.split.validation, config.evaluation.k[0]

    def answering(weights: TowerWeights) -> Nearest:
        return Nearest.of(weights, prepared.features, popularity)

    def found(nearest: Nearest) -> float:
        return float(recall(places(nearest.recommend(cases, k), cases.targets), cases, k).mean())

    def judge(model: TwoTower) -> float:
        return found(answering(exported(model, prepared.popularity, longest)))

    with Checkpoints(folder / CHECKPOINTS) as checkpoints:
        progress = checkpoints.newest(trainer.beginning())

        def save(progress: Progress) -> None:
            checkpoints.save(progress)
            ended(progress.records[-1])

        told = _reporter(config, progress, report)
        model = trainer.train(progress, judge, save, told)
    weights = exported(model, prepared.popularity, longest)
    nearest = answering(weights)
    if config.towers.newcomers:
        report("how popular newcomers count", 0, None)
        weights = with_newcomers(weights, lambda tried: found(nearest.weighed(tried, prepared.features)))
        nearest = nearest.weighed(weights, prepared.features)
    return Outcome(prepared, Encoder(prepared.encoder, weights), nearest, tuple(progress.records))


def remember(folder: Path, config: TrainConfig, data: str, *, resume: bool) -> None:
    """Writes down what the folder is trained by, and on which data (their fingerprint).

    Raises ConfigurationError where it holds another training, or one that is not to be gone on with.
    """
    path, plain = folder / TRAINING, {"configuration": config.model_dump(mode="json"), "data": data}
    if path.exists():
        if not resume:
            raise ConfigurationError(
                f"{folder} holds a training already; go on with it by --resume, or give another folder with --out"
            )
        if changed := sorted(_changed(read_values(path), plain)):
            raise ConfigurationError(
                f"{folder} was begun with another {', '.join(changed)}; set it back, or begin anew with another --out"
            )
        return
    if resume:
        raise ConfigurationError(f"--resume: {folder} holds no training; leave --resume out to begin one")
    folder.mkdir(parents=True, exist_ok=True)
    write_values(path, plain)


def _changed(before: Any, now: Any, at: str = "") -> set[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = before.keys() | now.keys()
        return set().union(*(_changed(before.get(key), now.get(key), f"{at}.{key}") for key in keys))
    return set() if before == now else {at.lstrip(".")}


def material_of(config: TrainConfig, prepared: Prepared) -> Material:
    """What the towers are trained on."""
    from models.training.loop.material import Material

    wanted = config.evaluation.preferences
    return Material(
        prepared.features,
        prepared.encoder.nothing(1),
        np.array([wanted is None or name in wanted for name in prepared.encoder.categories], np.bool_),
        prepared.popularity[prepared.features.ids],
        prepared.split,
    )


def shape_of(config: TrainConfig, prepared: Prepared) -> TowerShape:
    """What the towers are made for."""
    from models.towers.listing import TowerShape

    sizes, towers = prepared.encoder.sizes, config.towers
    return TowerShape(
        sizes.ids, sizes.categories, sizes.numbers, sizes.text, towers.dim, towers.hidden, towers.parts
    )


def _reporter(config: TrainConfig, progress: Progress, report: Report) -> Callable[[int, float, float], None]:
    name, epochs = f"recall@{config.evaluation.k[0]}", config.training.epochs

    def told(epoch: int, share: float, loss: float) -> None:
        last = f", validation {name} {progress.records[-1].recall:.4f}" if progress.records else ""
        report(f"epoch {epoch + 1} of {epochs}: loss {loss:.3f}{last}", epoch + share, epochs)

    return told
