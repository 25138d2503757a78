"""How a model is trained, as users write it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.scenario.strict import PositiveFloat, PositiveInt, StrictModel

Share = Annotated[float, Field(ge=0, lt=1)]


class TowerOptions(StrictModel):
    """The size of the towers.

    parts: how many parts the vectors have, each trained for itself from another beginning; scores are the mean of
    theirs. hidden: of each part. popularity: whether a listing's popularity may add to its score. newcomers: whether
    listings that nobody took in training may count as popular as is best on validation cases, or not at all.
    """

    dim: Annotated[int, Field(ge=2, le=4096)] = 128
    hidden: Annotated[int, Field(ge=1, le=16384)] = 256
    parts: Annotated[int, Field(ge=1, le=16)] = 1
    popularity: bool = True
    newcomers: bool = True

    @model_validator(mode="after")
    def _parts_are_equal(self) -> TowerOptions:
        if self.dim % self.parts or self.dim < 2 * self.parts:
            raise ValueError(
                f"dim ({self.dim}) must be a multiple of parts ({self.parts}), and at least 2 of each; change either"
            )
        return self


class TrainingOptions(StrictModel):
    """How the towers are trained.

    loss: the softmax over every listing (`full`), one whose denominator is estimated from `negatives` sampled listings,
    a share `uniform` of them drawn uniformly and the others as often as they were taken (`sampled`), or the first up
    to 50,000 listings (`auto`). id_dropout: share of the listings a step whose id is left out, so that their features
    have to do. history, history_dropout, forgotten, declared: see `models.training.loop.batches.Sampling`. patience:
    epochs without a better validation figure before training ends.
    """

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 12
    batch: PositiveInt = 1024
    learning_rate: PositiveFloat = 0.002
    weight_decay: Annotated[float, Field(ge=0)] = 0.1
    warmup: Share = 0.1
    loss: Literal["auto", "full", "sampled"] = "auto"
    negatives: PositiveInt = 8192
    uniform: Annotated[float, Field(gt=0, le=1)] = 0.5
    id_dropout: Share = 0.7
    history: Annotated[int, Field(ge=1, le=1000)] = 24
    history_dropout: Share = 0.2
    forgotten: Share = 0.05
    declared: Share = 0.1
    patience: PositiveInt = 4
    seed: Annotated[int, Field(ge=0)] = 0

    def is_full(self, listings: int) -> bool:
        """Whether the loss is over all of so many listings."""
        return self.loss == "full" or (self.loss == "auto" and listings <= 50_000)
