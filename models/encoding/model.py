"""A model's folder as training leaves it: which model it is, its encoder, and how files for it are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from engines.values.shown import shown
from harness.data.identity import ModelIdentity
from harness.errors import ConfigurationError
from harness.scenario.strict import Name, StrictModel, validated
from models.data.reading import hm
from models.data.reading.options import InteractionOptions, ItemOptions
from models.encoding.encoder import Encoder
from models.features.stored import read_values

KIND, FORMAT = "bakeoff-model", 1
MODEL, TRAINING, DATASET = "model.json", "training.json", "dataset"
_LISTED = "listed_at"  # in files of a simulated marketplace


class _Part(StrictModel):
    """Some of the keys of something larger."""

    model_config = ConfigDict(extra="ignore")


class _Data(_Part):
    kind: Literal["files", "hm", "marketplace"]


class _Configuration(_Part):
    data: _Data
    items: ItemOptions
    interactions: InteractionOptions


class _Stored(_Part):
    name: Name
    version: Name
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    configuration: _Configuration


@dataclass(frozen=True, slots=True)
class Model:
    """A finished model.

    items: how a file of listings is read: the columns that the model reads as what it read them as, the column of ids
    and that of when a listing was listed as its training named them. interactions: how a file of interactions is read.
    """

    folder: Path
    identity: ModelIdentity
    encoder: Encoder
    items: ItemOptions
    interactions: InteractionOptions

    @classmethod
    def load(cls, folder: Path) -> Model:
        """From a model's folder, or the path of its `model.json`.

        Raises ConfigurationError where there is no finished model, one of another format, or where towers and features
        are not those that `model.json` is about.
        """
        if folder.name == MODEL and folder.is_file():
            folder = folder.parent
        path = folder / MODEL
        stored = _stored(path, _values(path))
        identity = ModelIdentity(stored.name, stored.version, stored.hash)
        encoder = Encoder.load(folder)
        found = replace(identity, hash=encoder.content_hash())
        if found != identity:
            raise ConfigurationError(
                f"{path}: is about {identity.label}, and the towers and features beside it are {found.label}; copy "
                "the whole folder again, or train the model again"
            )
        items, interactions = _options(stored.configuration)
        features = encoder.features
        read = {
            "categories": tuple(features.categories),
            "numbers": tuple(features.numbers),
            "texts": features.texts,
        }
        return cls(folder, identity, encoder, items.model_copy(update=read), interactions)


def _values(path: Path) -> dict[str, Any]:
    """What `model.json` holds. Raises ConfigurationError where it is not there, or not of this format."""
    folder = path.parent
    if not path.exists() and (folder / TRAINING).exists():
        raise ConfigurationError(
            f"{folder}: holds a training that has not ended; go on with it: bakeoff train CONFIGURATION "
            f"--out {folder} --resume"
        )
    if not path.exists():
        there = f"holds no {MODEL}" if folder.is_dir() else "no such folder"
        raise ConfigurationError(f"{folder}: {there}; name a folder that bakeoff train has written")
    values = read_values(path)
    if values.get("kind") != KIND:
        raise ConfigurationError(
            f"{path}: is about no model (kind: {KIND}); name a folder that bakeoff train has written"
        )
    if values.get("format") != FORMAT:
        raise ConfigurationError(
            f"{path}: format must be {FORMAT}, got {shown(values.get('format'))}; train the model again, or use the "
            "version of bakeoff that it was trained with"
        )
    return values


def _stored(path: Path, values: dict[str, Any]) -> _Stored:
    return validated(_Stored, values, str(path))


def _options(configuration: _Configuration) -> tuple[ItemOptions, InteractionOptions]:
    """What files are read by, which users of their own files named and the others have by default."""
    match configuration.data.kind:
        case "hm":
            return ItemOptions(id=hm.ID), hm.PURCHASES
        case "marketplace":
            return ItemOptions(listed=_LISTED), InteractionOptions()
        case "files":
            items = configuration.items
            kept = ItemOptions(id=items.id, listed=items.listed, unit=items.unit)
            return kept, _named(configuration.interactions)


def _named(options: InteractionOptions) -> InteractionOptions:
    """Only what is not the default counts as named: a column of events, say, need not be there unless it was named."""
    named = options.model_dump(exclude_defaults=True)
    return InteractionOptions.model_validate(named)
