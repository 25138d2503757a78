"""What `bakeoff train` is told: one YAML file, read strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from engines.meant import choices
from harness.errors import ConfigurationError
from harness.scenario.strict import Name, PositiveInt, StrictModel, read_yaml, validated
from models.data.marketplace.options import MarketplaceOptions
from models.data.reading.options import InteractionOptions, ItemOptions
from models.features.options import FeatureOptions
from models.publishing.options import PublishingOptions
from models.training.options import TowerOptions, TrainingOptions

Share = Annotated[float, Field(gt=0, lt=0.5)]


class Files(StrictModel):
    """Parquet files of a user's own; paths are relative to the configuration."""

    kind: Literal["files"]
    items: str
    interactions: str


class HandM(StrictModel):
    """H&M's articles and purchases: a folder, or the data mirror. catalogue: the articles sold, or all."""

    kind: Literal["hm"]
    folder: str | None = None
    catalogue: Literal["sold", "all"] = "sold"


class Marketplace(StrictModel):
    """A simulated second-hand marketplace, for machines without data."""

    kind: Literal["marketplace"]
    marketplace: MarketplaceOptions = MarketplaceOptions()


class SplitOptions(StrictModel):
    """How cases are held back. kind: `auto` takes time where times carry order.

    validation_users: of leave-last-out. validation, test: shares of the interactions, by time. one_of_a_kind: whether a
    listing of your files is gone once somebody took it, with an interaction that weighs at least `sold_weight`.
    """

    kind: Literal["auto", "time", "leave-last-out"] = "auto"
    validation_users: PositiveInt = 4000
    validation: Share = 0.1
    test: Share = 0.1
    one_of_a_kind: bool = False
    sold_weight: Annotated[float, Field(ge=0)] = 0.0


class EvaluationOptions(StrictModel):
    """What the model is judged by. k: of the figures, the first also chooses. cases: at most so many, drawn at random.
    key: a column of categories that listings of one product share, for the untrained blend. preferences: columns of
    categories that users may declare; all where it is None.
    """

    k: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (100, 10)
    cases: PositiveInt = 50_000
    key: str | None = None
    preferences: tuple[str, ...] | None = None
    seed: Annotated[int, Field(ge=0)] = 0


class TrainConfig(StrictModel):
    """A model to be trained. version: what tells it from others of its name."""

    name: Name
    version: Name = "1"
    data: Annotated[Files | HandM | Marketplace, Field(discriminator="kind")]
    items: ItemOptions = ItemOptions()
    interactions: InteractionOptions = InteractionOptions()
    split: SplitOptions = SplitOptions()
    features: FeatureOptions = FeatureOptions()
    towers: TowerOptions = TowerOptions()
    training: TrainingOptions = TrainingOptions()
    evaluation: EvaluationOptions = EvaluationOptions()
    dataset: PublishingOptions = PublishingOptions()

    @model_validator(mode="after")
    def _columns_are_of_files(self) -> TrainConfig:
        if not isinstance(self.data, Files):
            about = {
                "items": self.items != ItemOptions(),
                "interactions": self.interactions != InteractionOptions(),
            }
            if given := [name for name, said in about.items() if said]:
                raise ValueError(
                    f"{' and '.join(given)} describe files of your own; remove them, or set data.kind to files"
                )
        return self


def find_config(name: str) -> Path:
    """The file of a configuration that ships (`hm`, `marketplace`), or of a path. Raises ConfigurationError."""
    path, shipped = Path(name), Path(__file__).parents[1] / "shipped"
    if path.is_file() or path.suffix in (".yaml", ".yml"):
        return path
    if not (found := shipped / f"{name}.yaml").is_file():
        known = sorted(file.stem for file in shipped.glob("*.yaml"))
        raise ConfigurationError(
            f"unknown configuration '{name}' ({choices(name, known)}; or give the path of a YAML file)"
        )
    return found


def load_config(path: Path) -> TrainConfig:
    """Reads and checks a configuration. Raises ConfigurationError with every problem."""
    data = {"name": path.stem, **read_yaml(path, "name and data")}
    return validated(TrainConfig, data, str(path))
