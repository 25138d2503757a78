"""Dataset manifests: the YAML files in datasets/, and the `dataset.yaml` beside a user's own data."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from engines.base import Metric, Value
from harness.errors import ConfigurationError
from harness.scenario import explain

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
# `--dataset synthetic:selectivities=0.1` has no way to say that one value is a list.
Listed = BeforeValidator(lambda value: value if isinstance(value, list | tuple) else [value])
PositiveInt = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Shares = Annotated[dict[str, Annotated[float, Field(ge=0)]], Field(min_length=1)]


class Model(BaseModel):
    """Base of everything read from a manifest: immutable, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SyntheticManifest(Model):
    """A generated corpus; every parameter may be set from outside (`synthetic:rows=1000000,dim=128`).

    spread: noise around a cluster's centre, relative to the distance between centres. decay: the j-th
    dimension is scaled by j^-decay, as embeddings have few strong directions. correlation: how closely the
    filtered attributes follow the clusters; below 0, queries filter for what lies far from them.
    """

    kind: Literal["synthetic"]
    name: Name
    summary: str = ""
    description: str = ""
    metric: Metric = "l2"
    rows: PositiveInt = 100_000
    queries: PositiveInt = 1_000
    dim: PositiveInt = 128
    clusters: PositiveInt = 100
    spread: Annotated[float, Field(gt=0)] = 0.5
    decay: Annotated[float, Field(ge=0)] = 0.5
    correlation: Annotated[float, Field(ge=-1, le=1)] = 0.0
    selectivities: Annotated[tuple[Share, ...], Field(min_length=1), Listed] = (0.5, 0.1, 0.01, 0.001)
    tags: PositiveInt = 100
    seed: Annotated[int, Field(ge=0)] = 0

    def parameters(self) -> str:
        """The size and the parameters, in words."""
        return (
            f"{self.rows:,} x {self.dim} ({self.metric}), {self.clusters} clusters, spread {self.spread:g}, "
            f"decay {self.decay:g}, correlation {self.correlation:g}, {self.tags} tags, seed {self.seed}."
        )


class RemoteFile(Model):
    """A gzip file by name, and the SHA-256 of what it decompresses to (archives differ in gzip headers)."""

    name: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DebianPackage(Model):
    """Where an installed package of this name would keep the files, relative to the root."""

    package: str
    folder: str


class Sources(Model):
    """Where files come from, besides the cache and the mirror folder; tried in this order."""

    https: tuple[str, ...] = ()
    debian: DebianPackage | None = None


class ImageFiles(Model):
    """IDX files of images and of their labels; train becomes the corpus, test the queries."""

    train_images: RemoteFile
    train_labels: RemoteFile
    test_images: RemoteFile
    test_labels: RemoteFile

    def all(self) -> tuple[RemoteFile, ...]:
        """The four files."""
        return (self.train_images, self.train_labels, self.test_images, self.test_labels)


class Brands(Model):
    """Brand b of `count` occurs in proportion to (b + shift)^-exponent; `luxury_share` of them are luxury."""

    count: PositiveInt
    exponent: float
    shift: Annotated[float, Field(ge=0)] = 0.0
    luxury_share: Annotated[float, Field(ge=0, le=1)] = 0.0


class LogNormal(Model):
    """Prices whose natural logarithm has this mean and standard deviation."""

    ln_mean: float
    ln_sd: Annotated[float, Field(gt=0)]


class Prices(Model):
    """Asking prices of ordinary and of luxury brands."""

    mass: LogNormal
    luxury: LogNormal


class ListedAt(Model):
    """Unix seconds: uniform over `days` from `start`."""

    start: int
    days: PositiveInt


class Garment(Model):
    """A label of the images: its category and which sizes it comes in (a key of `sizes`)."""

    category: str
    sizes: str


class Listings(Model):
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


class Band(Model):
    """Between the two neighbouring edges that enclose the query's own value; open at both ends."""

    band: Annotated[tuple[float, ...], Field(min_length=1)]

    @field_validator("band")
    @classmethod
    def _ascending(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(low >= high for low, high in itertools.pairwise(value)):
            raise ValueError("band edges must ascend")
        return value


FilterTemplate = Annotated[dict[str, Literal["same"] | Band], Field(min_length=1)]


class ListingsManifest(Model):
    """Labelled images as second-hand listings.

    filters: named sets; in each, a field is the `same` as the query image's own, or within its `band`.
    """

    kind: Literal["listings"]
    name: Name
    summary: str = ""
    description: str = ""
    metric: Metric
    files: ImageFiles
    sources: Sources
    listings: Listings
    filters: dict[Name, FilterTemplate] = {}


Manifest = SyntheticManifest | ListingsManifest
_KINDS: dict[str, type[Manifest]] = {"synthetic": SyntheticManifest, "listings": ListingsManifest}


class UserManifest(Model):
    """`dataset.yaml` in a user's folder, or `NAME.yaml` beside `NAME.parquet` or `NAME.hdf5`.

    vectors: the Parquet column that holds them, where several could. queries: how many rows to hold out as
    queries where the data bring none. text: columns to carry along unfiltered. fill: by column, what stands
    in for a missing value.
    """

    name: Name | None = None
    description: str = ""
    metric: Metric | None = None
    vectors: str | None = None
    queries: PositiveInt | None = None
    id: str = "id"
    text: Annotated[tuple[str, ...], Listed] = ()
    fill: dict[str, Value] = {}


def read_manifest(path: Path, overrides: Mapping[str, Any] | None = None) -> Manifest:
    """A manifest, some keys replaced (`listings.seed` reaches inside). Raises ConfigurationError with every
    problem.
    """
    data = {"name": path.stem, **_read(path)}
    model = _KINDS.get(str(data.get("kind")))
    if model is None:
        raise ConfigurationError(
            f"{path}: kind must be {' or '.join(_KINDS)}, got {data.get('kind')!r}; "
            "for a dataset.yaml beside your own data, give the folder instead"
        )
    overrides = overrides or {}
    source = (
        f"{path.stem}:{','.join(f'{key}={value}' for key, value in overrides.items())}"
        if overrides
        else str(path)
    )
    known = sorted(set(model.model_fields) - {"kind", "name"})
    unknown = [key for key in overrides if key.partition(".")[0] not in known]
    if unknown:
        raise ConfigurationError(
            [f"{source}: {key} is not a parameter (known: {', '.join(known)})" for key in unknown]
        )
    for key, value in overrides.items():
        _replace(data, key, value)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(explain(error, source)) from error


def _replace(data: dict[str, Any], key: str, value: object) -> None:
    first, dot, rest = key.partition(".")
    inner = data.setdefault(first, {}) if dot else None
    if isinstance(inner, dict):
        _replace(inner, rest, value)
    else:
        data[key] = value


def read_user_manifest(path: Path, overrides: Mapping[str, Any] | None = None) -> UserManifest:
    """The manifest beside a user's data; defaults where there is none. Raises ConfigurationError."""
    data = _read(path) if path.exists() else {}
    for key, value in (overrides or {}).items():
        _replace(data, key, value)
    try:
        return UserManifest.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(explain(error, str(path))) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not UTF-8 text: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}: must hold keys such as metric and name, got {type(data).__name__}")
    return data
