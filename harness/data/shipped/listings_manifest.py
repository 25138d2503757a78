"""The manifest of labelled images as second-hand listings: files and where they come from, attributes, filters."""

from __future__ import annotations

import itertools
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from harness.data.metric_words import MetricWord
from harness.data.picture import Picture
from harness.scenario.strict import Name, PositiveInt, StrictModel

Shares = Annotated[dict[str, Annotated[float, Field(ge=0)]], Field(min_length=1)]


class RemoteFile(StrictModel):
    """A gzip file by name, and the SHA-256 of what it decompresses to (archives differ in gzip headers)."""

    name: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DebianPackage(StrictModel):
    """Where an installed package of this name would keep the files, relative to the root."""

    package: str
    folder: str


class Sources(StrictModel):
    """Where files come from, besides the cache and the mirror folder; tried in this order."""

    https: tuple[str, ...] = ()
    debian: DebianPackage | None = None


class ImageFiles(StrictModel):
    """IDX files of images and of their labels; train becomes the corpus, test the queries."""

    train_images: RemoteFile
    train_labels: RemoteFile
    test_images: RemoteFile
    test_labels: RemoteFile

    def all(self) -> tuple[RemoteFile, ...]:
        """The four files."""
        return (self.train_images, self.train_labels, self.test_images, self.test_labels)


class Brands(StrictModel):
    """Brand b of `count` occurs in proportion to (b + shift)^-exponent; `luxury_share` of them are luxury."""

    count: PositiveInt
    exponent: float
    shift: Annotated[float, Field(ge=0)] = 0.0
    luxury_share: Annotated[float, Field(ge=0, le=1)] = 0.0


class LogNormal(StrictModel):
    """Prices whose natural logarithm has this mean and standard deviation."""

    ln_mean: float
    ln_sd: Annotated[float, Field(gt=0)]


class Prices(StrictModel):
    """Asking prices of ordinary and of luxury brands."""

    mass: LogNormal
    luxury: LogNormal


class ListedAt(StrictModel):
    """Unix seconds: uniform over `days` from `start`."""

    start: int
    days: PositiveInt


class Garment(StrictModel):
    """A label of the images: its category and which sizes it comes in (a key of `sizes`)."""

    category: str
    sizes: str


class Listings(StrictModel):
    """How the attributes of a listing are generated.

    correlation: how closely brand and price follow the image's visual cluster (0: not at all, 1: given
    by it).
    """

    seed: Annotated[int, Field(ge=0)]
    correlation: Annotated[float, Field(ge=0, le=1)]
    visual_clusters: PositiveInt
    garments: Annotated[tuple[Garment, ...], Field(min_length=1)]  # by label
    brands: Brands
    conditions: Shares
    sizes: Annotated[dict[str, Shares], Field(min_length=1)]
    colours: Shares
    prices: Prices
    listed_at: ListedAt

    @model_validator(mode="after")
    def _sizes_known(self) -> Listings:
        missing = sorted({garment.sizes for garment in self.garments} - set(self.sizes))
        if missing:
            raise ValueError(f"garments name sizes that are not defined: {', '.join(missing)}")
        return self


class Band(StrictModel):
    """Between the two neighbouring edges that enclose the query's own value; open at both ends."""

    band: Annotated[tuple[float, ...], Field(min_length=1)]

    @field_validator("band")
    @classmethod
    def _ascending(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(low >= high for low, high in itertools.pairwise(value)):
            raise ValueError("band edges must ascend")
        return value


FilterTemplate = Annotated[dict[str, Literal["same"] | Band], Field(min_length=1)]


class ListingsManifest(StrictModel):
    """Labelled images as second-hand listings.

    picture: how the vectors are shown. filters: named sets; in each, a field is the `same` as the query image's own, or
    within its `band`.
    """

    kind: Literal["listings"]
    name: Name
    summary: str = ""
    description: str = ""
    metric: MetricWord
    picture: Picture | None = None
    files: ImageFiles
    sources: Sources
    listings: Listings
    filters: dict[Name, FilterTemplate] = Field(default_factory=dict)
