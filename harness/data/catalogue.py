"""Finds the dataset that `--dataset` names: a name in datasets/, a manifest, or a path to own data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from engines.meant import choices
from engines.values.shown import shown
from harness.data.dataset import Dataset
from harness.data.manifest import Manifest, SyntheticManifest, read_manifest, read_user_manifest
from harness.data.picture import Picture
from harness.data.shipped.listings_manifest import ListingsManifest
from harness.data.shipped.packages.manifest import PackagesManifest
from harness.data.stored.store import cached, key_of, open_dataset
from harness.errors import ConfigurationError
from harness.paths import shipped
from harness.progress import Progress, silent
from harness.scenario.yaml_text import YamlTextError, parse_yaml

# The colon before the first key; values may hold colons, too, as addresses do.
_PARAMETERS = re.compile(r":(?=[^:=]*=)")


def list_datasets() -> list[tuple[str, str]]:
    """What `--dataset NAME` may be: name and description."""
    specs = [read_manifest(path) for path in _manifests().values()]
    return [(spec.name, f"{spec.summary}. {' '.join(spec.description.split())}") for spec in specs]


def load_dataset(
    ref: str, *, cache: Path, progress: Progress = silent, overrides: Mapping[str, Any] | None = None
) -> Dataset:
    """The dataset `ref` stands for, built or converted in `cache` if need be, memory-mapped.

    ref: a name in datasets/, a manifest's path, or a user's folder, .parquet, .hdf5 or .h5; after it may
    follow `:key=value,...`, as in `synthetic:rows=1000000,dim=128`. overrides: more of these (they win).
    Raises ConfigurationError for what the user can correct, DatasetError where data cannot be had.
    """
    name, changes = split_reference(ref)
    changes |= overrides or {}
    manifests, path = _manifests(), Path(name).expanduser()
    if name in manifests:
        return _from_manifest(manifests[name], changes, cache, progress)
    if not _exists(path):
        raise ConfigurationError(
            f"dataset {shown(name)} is neither known ({choices(name, sorted(manifests))}) nor a path that exists; "
            "give a name, a folder with vectors.npy or Parquet files, a .parquet or an ann-benchmarks .hdf5 file"
        )
    if path.suffix in (".yaml", ".yml"):
        return _from_manifest(path, changes, cache, progress)
    from harness.data.user.loading import load_user_data

    return load_user_data(path, changes, cache, progress)


def picture_of(ref: str) -> Picture | None:
    """How the vectors of the dataset that `ref` stands for are shown as pictures; None where its manifest does not say.

    Raises ConfigurationError.
    """
    name, changes = split_reference(ref)
    path = _manifests().get(name, Path(name).expanduser())
    if path.suffix in (".yaml", ".yml"):
        spec = read_manifest(path, changes)
        return spec.picture if isinstance(spec, ListingsManifest) else None
    from harness.data.user.finding import sidecar_of

    return read_user_manifest(sidecar_of(path), changes, path.name).picture


def split_reference(ref: str) -> tuple[str, dict[str, Any]]:
    """Splits `name:key=value,key=value`; values are read as YAML scalars, `a;b` as a list.

    A path that exists is not split, even if it holds colons. Raises ConfigurationError.
    """
    first = _PARAMETERS.search(ref)
    if first is None or _exists(Path(ref)):
        return ref, {}
    name, text = ref[: first.start()], ref[first.end() :]
    changes = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not (key and equals and value):
            raise ConfigurationError(
                f"dataset {shown(ref)}: {shown(part)} must read key=value, as in 'synthetic:rows=1000'"
            )
        try:
            items = [_scalar(item) for item in value.split(";")]
        except YamlTextError as error:
            raise ConfigurationError(f"dataset {shown(ref)}: {key.strip()} {error}") from error
        if key.strip() in changes:
            raise ConfigurationError(
                f"dataset {shown(ref)}: key {shown(key.strip())} occurs twice, remove one"
            )
        changes[key.strip()] = items if len(items) > 1 else items[0]
    return name, changes


def with_metric(ref: str, metric: str | None) -> str:
    """The reference with its metric set from outside; as it is where that is None. Raises ConfigurationError."""
    if metric is None:
        return ref
    _, changes = split_reference(ref)
    if "metric" in changes:
        raise ConfigurationError(
            f"--metric is {metric}, but dataset {shown(ref)} names one itself; remove one of them"
        )
    return f"{ref}{',' if changes else ':'}metric={metric}"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no file has a name that is too long or holds a NUL
        return False


def _scalar(text: str) -> Any:
    return text if text == "|" else parse_yaml(text)  # what begins a block in YAML may stand between tags


def _manifests() -> dict[str, Path]:
    return {path.stem: path for path in sorted(shipped("datasets").glob("*.yaml"))}


def _from_manifest(path: Path, changes: Mapping[str, Any], cache: Path, progress: Progress) -> Dataset:
    spec = read_manifest(path, changes)
    content = spec.model_dump(mode="json", exclude={"picture"})  # which changes how it is shown only
    key = f"{spec.name}-{key_of(content)}"
    return open_dataset(cached(cache, key, partial(_build, spec, cache, progress), progress))


def _build(spec: Manifest, cache: Path, progress: Progress, folder: Path) -> None:
    if isinstance(spec, SyntheticManifest):
        from harness.data.shipped.synthetic import build_synthetic

        build_synthetic(folder, spec, progress)
    elif isinstance(spec, PackagesManifest):
        from harness.data.shipped.packages.building import build_packages

        build_packages(folder, spec, cache, progress)
    else:
        from harness.data.shipped.images import build_listings

        build_listings(folder, spec, cache, progress)
