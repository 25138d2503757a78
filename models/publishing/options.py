"""What a user may say about the dataset that a model writes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.scenario.strict import Listed, Name, PositiveInt, StrictModel

Names = Annotated[tuple[str, ...], Listed]


class OwnFilters(StrictModel):
    """Which filter a user gets, made of what they took before. Columns are named as in the catalogue.

    equal: category columns; their most frequent value there (of several, the first in the alphabet), as a size that
    must fit. among: category columns; one of their `most` most frequent values. range: number columns; from the lowest
    to the highest value, both widened by the share `widen` of themselves. fewest: how many listings a filter must let
    through; one that lets fewer through loses its conditions one by one: ranges first, then among, then equal, the
    last named of each first.
    """

    equal: Names = ()
    among: Names = ()
    range: Names = ()
    most: PositiveInt = 20
    widen: Annotated[float, Field(ge=0, le=1)] = 0.1
    fewest: PositiveInt = 1

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that a filter may name."""
        return self.equal + self.among + self.range


class PublishingOptions(StrictModel):
    """The dataset's name (that of the model, and its version, by default), metric, queries and their filters.

    queries: at most so many held-out users become queries; of more, a sample drawn with `seed`.
    """

    name: Name | None = None
    description: str = ""
    metric: Literal["cosine", "ip"] = "cosine"
    queries: PositiveInt = 2_000
    seed: Annotated[int, Field(ge=0)] = 0
    filters: OwnFilters = OwnFilters()
