"""A feature encoder as two files: `features.json` with its vocabularies and scales, `features.npz` with its arrays."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from harness.errors import ConfigurationError
from harness.scenario.strict import StrictModel, validated
from models.features.encoder import FeatureEncoder
from models.features.numbers import NumberScale
from models.features.options import FeatureOptions
from models.features.stored import digest, read_arrays, read_values, write_arrays, write_values
from models.features.texts.text import text_of_state
from models.features.vocabulary import Vocabulary

VALUES, ARRAYS = "features.json", "features.npz"


class _Words(StrictModel):
    words: tuple[str, ...]
    rare: int


class _Scale(StrictModel):
    low: float
    high: float
    unit: float
    log: bool
    mean: float
    deviation: float


class _Text(StrictModel):
    kind: str
    columns: tuple[str, ...]
    state: dict[str, Any]


class _Stored(StrictModel):
    kind: Literal["bakeoff-features"]
    version: Literal[1]
    options: FeatureOptions
    ids: tuple[str | int, ...]
    categories: dict[str, _Words]
    numbers: dict[str, _Scale]
    text: _Text
    sha256: str


def content_hash(encoder: FeatureEncoder) -> str:
    """SHA-256, in hex, of all that decides what the encoder returns."""
    return digest(*_state(encoder))


def save(encoder: FeatureEncoder, folder: Path) -> None:
    """Writes it into a folder, which is made if need be. Raises MeasurementError."""
    values, arrays = _state(encoder)
    write_arrays(folder / ARRAYS, arrays)
    write_values(folder / VALUES, {**values, "sha256": digest(values, arrays)})


def load(folder: Path) -> FeatureEncoder:
    """What `save` wrote. Raises ConfigurationError naming the file that is missing, damaged or of another kind, and
    where the package that its text needs is not installed.
    """
    path = folder / VALUES
    values = read_values(path)
    if values.get("kind") != "bakeoff-features":
        raise ConfigurationError(
            f"{path}: is no file of features (kind: bakeoff-features); name a model's folder"
        )
    stored = validated(_Stored, values, str(path))
    arrays = read_arrays(folder / ARRAYS)
    if digest({name: value for name, value in values.items() if name != "sha256"}, arrays) != stored.sha256:
        raise ConfigurationError(
            f"{path}: its content, or that of {ARRAYS} beside it, is not what was saved; copy the folder again"
        )
    try:
        text = text_of_state(stored.text.kind, stored.text.state, arrays)
    except (KeyError, ValueError) as error:
        raise ConfigurationError(
            f"{folder / ARRAYS}: holds no text of kind {stored.text.kind} ({error})"
        ) from error
    except ConfigurationError as error:
        raise ConfigurationError([f"{path}: {line}" for line in error.problems]) from error
    return FeatureEncoder(
        stored.options,
        stored.ids,
        {name: Vocabulary(column.words, column.rare) for name, column in stored.categories.items()},
        {name: NumberScale(**scale.model_dump()) for name, scale in stored.numbers.items()},
        stored.text.columns,
        text,
    )


def _state(encoder: FeatureEncoder) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    state, arrays = encoder.text.state()
    values = {
        "kind": "bakeoff-features",
        "version": 1,
        "options": encoder.options.model_dump(),
        "ids": list(encoder.ids),
        "categories": {
            name: {"words": list(vocabulary.words), "rare": vocabulary.rare}
            for name, vocabulary in encoder.categories.items()
        },
        "numbers": {name: asdict(scale) for name, scale in encoder.numbers.items()},
        "text": {"kind": encoder.text.kind, "columns": list(encoder.texts), "state": state},
    }
    return values, arrays
