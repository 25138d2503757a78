"""A model of a simulated marketplace as training leaves it, but with towers at random: no JAX, and within a second."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.data.identity import ModelIdentity
from harness.progress import silent
from models.data.fingerprint import fingerprint
from models.dimensions.job import publish
from models.dimensions.material import Material, load_material
from models.dimensions.variants import Shortened
from models.encoding.encoder import Encoder
from models.encoding.model import DATASET, FORMAT, KIND, MODEL
from models.features.encoder import FeatureEncoder
from models.features.stored import write_values
from models.training.config import TrainConfig
from models.training.loading import load, split
from tests.unit.models.encoding.made import weights

CONFIGURATION: dict[str, Any] = {
    "name": "tiny",
    "data": {"kind": "marketplace", "marketplace": {"listings": 600, "users": 400, "interactions": 4000}},
    "features": {"text_dim": 16},
    "evaluation": {"k": [50, 5]},
    "dataset": {"queries": 40, "filters": {"equal": ["category"], "range": ["price"]}},
}


def write_model(folder: Path, **changes: Any) -> Path:
    """A model's folder with its dataset. Vectors have 8 dimensions, and two more where popularity counts."""
    config = TrainConfig.model_validate(CONFIGURATION | changes)
    loaded = load(config, folder.parent, silent)
    made = split(loaded, config.split, config.training.seed)
    features = FeatureEncoder.fit(loaded.items, made.taken, config.features, seed=0)
    encoder = Encoder(features, weights(features.sizes))
    encoder.save(folder)
    identity = ModelIdentity(config.name, config.version, encoder.content_hash())
    values = {
        "kind": KIND,
        "format": FORMAT,
        **asdict(identity),
        "dim": encoder.weights.dim,
        "data": {"fingerprint": fingerprint(loaded.items, loaded.interactions)},
        "configuration": config.model_dump(mode="json"),
    }
    write_values(folder / MODEL, values)
    shortened = Shortened.of(material(folder))
    publish(folder / DATASET, shortened, shortened.dim)
    return folder


def material(folder: Path) -> Material:
    return load_material(folder, folder.parent, silent)
