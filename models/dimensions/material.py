"""A trained model with the data that it was trained on, as far as its vectors are to be judged again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.errors import ConfigurationError
from harness.progress import Progress
from harness.scenario.strict import validated
from models.data.fingerprint import fingerprint
from models.data.items import Items
from models.data.split import Cases
from models.encoding.model import MODEL, Model
from models.evaluation.nearest import Nearest
from models.evaluation.popularity import Popularity
from models.features.features import Int32
from models.features.stored import read_values
from models.training.config import TrainConfig
from models.training.loading import judged_cases, load, split


@dataclass(frozen=True, slots=True)
class Material:
    """What variants are made of and judged by.

    data: fingerprint of listings and interactions. ids: int32[n], rows of the model's id table. nearest: the model's
    own vectors of the n items. cases: those that are judged, as training judged them, by the name of their split. test:
    all test cases, of which a sample is published as queries. user_ids: whose rows the cases name.
    """

    model: Model
    config: TrainConfig
    data: str
    items: Items
    ids: Int32
    nearest: Nearest
    cases: dict[str, Cases]
    test: Cases
    user_ids: npt.NDArray[np.object_]


def load_material(folder: Path, beside: Path, progress: Progress) -> Material:
    """From a model's folder and its data. beside: the folder that relative paths in its configuration start from.

    Raises ConfigurationError where there is no finished model, or where the data are not those that it was trained on.
    """
    model = Model.load(folder)
    path = model.folder / MODEL
    values = read_values(path)
    config = _configuration(path, values["configuration"])
    loaded = load(config, beside, progress)
    data, trained_on = fingerprint(loaded.items, loaded.interactions), values["data"]["fingerprint"]
    if data != trained_on:
        raise ConfigurationError(
            f"{path}: was trained on other data than are there now (fingerprint {trained_on[:12]} then, {data[:12]} "
            "now); restore them, or train the model again"
        )
    made = split(loaded, config.split, config.training.seed)
    progress("encoding listings", 0, None)
    features = model.encoder.features.encode(loaded.items)
    nearest = Nearest.of(model.encoder.weights, features, Popularity.in_training(made))
    asked = {"validation": made.validation, "test": made.test}
    cases = {name: judged_cases(some, config.evaluation) for name, some in asked.items()}
    user_ids = loaded.interactions.user_ids
    return Material(
        model, config, data, loaded.items, features.ids, nearest, cases, made.test, user_ids
    )  # fmt: skip


def _configuration(path: Path, values: object) -> TrainConfig:
    return validated(TrainConfig, values, str(path))
