"""Dataset manifests: the YAML files in datasets/, and the `dataset.yaml` beside a user's own data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from engines.columns import Value
from engines.meant import choices
from engines.values.shown import shown
from harness.data.identity import ModelIdentity
from harness.data.metric_words import MetricWord
from harness.data.picture import Picture
from harness.data.shipped.listings_manifest import ListingsManifest
from harness.data.shipped.packages.manifest import PackagesManifest
from harness.errors import ConfigurationError, noting
from harness.scenario.strict import Listed, Name, PositiveInt, StrictModel, read_yaml, validated

Share = Annotated[float, Field(gt=0, le=1)]


def _plain(value: object) -> object:
    """Refuses others in one message; a union of types would give one a type."""
    if not isinstance(value, str | int | float | bool):
        raise ValueError(f"must be text, a number or a boolean, got {shown(value)}")
    return value


class SyntheticManifest(StrictModel):
    """A generated corpus; every parameter may be set from outside (`synthetic:rows=1000000,dim=128`).

    spread: noise around a cluster's centre, relative to the distance between centres. decay: the j-th
    dimension is scaled by j^-decay, as embeddings have few strong directions. correlation: how closely the
    filtered attributes follow the clusters; below 0, queries filter for what lies far from them.
    """

    kind: Literal["synthetic"]
    name: Name
    summary: str = ""
    description: str = ""
    metric: MetricWord = "l2"
    rows: PositiveInt = 100_000
    queries: PositiveInt = 1_000
    dim: PositiveInt = 128
    clusters: PositiveInt = 100
    spread: Annotated[float, Field(gt=0, le=1e6)] = 0.5
    decay: Annotated[float, Field(ge=0, le=10)] = 0.5
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


Manifest = SyntheticManifest | ListingsManifest | PackagesManifest
_KINDS: dict[str, type[Manifest]] = {
    "synthetic": SyntheticManifest,
    "listings": ListingsManifest,
    "packages": PackagesManifest,
}


def _text(value: object) -> object:
    """YAML reads 1.10 as the number 1.1, and a hash of digits alone as a number."""
    if isinstance(value, int | float):
        raise ValueError(f"must be text, got {shown(value)}; put it into quotes")
    return value


class ModelManifest(StrictModel):
    """The model that made the vectors. hash: of its content, 12 hexadecimal digits or more."""

    name: Name
    version: Annotated[Name, BeforeValidator(_text)]
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{12,128}$"), BeforeValidator(_text)]

    def identity(self) -> ModelIdentity:
        return ModelIdentity(self.name, self.version, self.hash)


class UserManifest(StrictModel):
    """`dataset.yaml` in a user's folder, or `NAME.yaml` beside `NAME.parquet` or `NAME.hdf5`.

    vectors: the Parquet column that holds them, where several could. queries: where the data bring none, a file of them
    (its path starts from the manifest's folder), or how many rows to hold out. columns: the only ones that are read,
    all where None; exclude: those that are not. text: columns to carry along unfiltered. tags: by column of texts, what
    stands between the tags of an item. fill: by column, what stands in for a missing value. model: what made the
    vectors. picture: how they are shown, where they are pictures.
    """

    name: Name | None = None
    description: str = ""
    metric: MetricWord | None = None
    vectors: str | None = None
    queries: PositiveInt | str | None = None
    id: str = "id"
    columns: Annotated[tuple[str, ...], Listed] | None = None
    exclude: Annotated[tuple[str, ...], Listed] = ()
    text: Annotated[tuple[str, ...], Listed] = ()
    tags: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    fill: dict[str, Annotated[Value, BeforeValidator(_plain)]] = Field(default_factory=dict)
    model: ModelManifest | None = None
    picture: Picture | None = None


def read_manifest(path: Path, overrides: Mapping[str, Any] | None = None) -> Manifest:
    """A manifest, some keys replaced (`listings.seed` reaches inside). Raises ConfigurationError with every
    problem.
    """
    data = {"name": path.stem, **read_yaml(path, "metric and name")}
    model = _KINDS.get(str(data.get("kind")))
    if model is None:
        *others, last = _KINDS
        raise ConfigurationError(
            f"{path}: kind must be {', '.join(others)} or {last}, got {data.get('kind')!r}; "
            "for a dataset.yaml beside your own data, give the folder instead"
        )
    overrides = overrides or {}
    source = _reference(path.stem, overrides) if overrides else str(path)
    known = sorted(set(model.model_fields) - {"kind", "name"})
    unknown = [key for key in overrides if key.partition(".")[0] not in known]
    if unknown:
        raise ConfigurationError(
            [f"{source}: {key} is not a parameter ({choices(key, known)})" for key in unknown]
        )
    for key, value in overrides.items():
        _replace(data, key, value)
    return validated(model, data, source)


def _reference(name: str, overrides: Mapping[str, Any]) -> str:
    """How these parameters are written behind a data set's name."""
    texts = {
        key: ";".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in overrides.items()
    }
    return f"{name}:{','.join(f'{key}={text[:40]}' for key, text in texts.items())}"


def _replace(data: dict[str, Any], key: str, value: object) -> None:
    first, dot, rest = key.partition(".")
    inner = data.setdefault(first, {}) if dot else None
    if isinstance(inner, dict):
        _replace(inner, rest, value)
    else:
        data[key] = value


def read_user_manifest(
    path: Path, overrides: Mapping[str, Any] | None = None, name: str = ""
) -> UserManifest:
    """The manifest beside a user's data; defaults where there is none.

    overrides: keys set from outside, behind the data set's `name`. Raises ConfigurationError with every problem; of a
    key that was set from outside it names the data set with these.
    """
    data = read_yaml(path, "metric and name") if path.exists() else {}
    overrides = overrides or {}
    for key, value in overrides.items():
        _replace(data, key, value)
    changed = {key.partition(".")[0] for key in overrides}
    sources = {False: str(path), True: _reference(name or path.stem, overrides)}
    problems: list[str] = []
    for is_changed, source in sources.items():  # each alone, for no key depends on another
        with noting(problems):
            part = {key: value for key, value in data.items() if (key in changed) == is_changed}
            validated(UserManifest, part, source)
    if problems:
        raise ConfigurationError(problems)
    return validated(UserManifest, data, str(path))
