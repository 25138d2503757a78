"""Labelled images in IDX files as a dataset of listings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engines.columns import Column, decoded
from engines.filters import And, Eq, Filter, Range
from engines.meant import choices
from harness.data.dataset import Attribute
from harness.data.shipped.fetch import fetch
from harness.data.shipped.listings import KINDS, generate, visual_clusters
from harness.data.shipped.listings_manifest import Band, ListingsManifest
from harness.data.stored.arrays import ArrayWriter, StoredArray, block_rows
from harness.data.stored.store import DatasetParts, save, throttled
from harness.errors import ConfigurationError, DatasetError
from harness.progress import Progress

Bytes = npt.NDArray[np.uint8]


def build_listings(folder: Path, spec: ListingsManifest, cache: Path, progress: Progress) -> None:
    """Writes the dataset of `spec` into `folder`; its files are fetched into `cache` first."""
    content = fetch(spec.name, spec.files.all(), spec.sources, cache / f"{spec.name}-files", progress)
    train, labels = _pair(spec.files.train_images.name, spec.files.train_labels.name, content)
    test, test_labels = _pair(spec.files.test_images.name, spec.files.test_labels.name, content)
    images, every_label = np.concatenate([train, test]), np.concatenate([labels, test_labels])
    if every_label.max() >= len(spec.listings.garments):
        raise ConfigurationError(
            f"{spec.name}: listings.garments has {len(spec.listings.garments)} entries, "
            f"but the images are labelled up to {every_label.max()}; add the missing ones"
        )
    progress("group images, generate attributes", 0, None)
    clusters = visual_clusters(images, spec.listings)
    # Items and queries together, so that a query's brand follows its cluster as an item's does.
    columns = generate(spec.listings, every_label, clusters)
    save(
        folder,
        DatasetParts(
            name=spec.name,
            metric=spec.metric,
            vectors=_write(folder, "vectors", train, throttled(progress)),
            queries=_write(folder, "queries", test, throttled(progress)),
            attributes=tuple(
                Attribute(name, kind, "real" if name == "category" else "generated")
                for name, kind in KINDS.items()
            ),
            columns={name: column[: len(train)] for name, column in columns.items()},
            filters=_filters(spec, {name: column[len(train) :] for name, column in columns.items()}),
            description=f"{spec.description} Correlation with the cluster: {spec.listings.correlation:g}.",
        ),
    )


def read_idx(name: str, content: bytes) -> Bytes:
    """An IDX file of unsigned bytes: 0, 0, 8, the number of dimensions, each in 4 bytes, the data.

    Raises DatasetError.
    """
    dimensions = content[3] if len(content) > 3 else 0
    header = 4 + 4 * dimensions
    shape = tuple(int(size) for size in np.frombuffer(content[4:header], dtype=">u4"))
    if content[:3] != b"\x00\x00\x08" or not shape or len(content) != header + math.prod(shape):
        raise DatasetError(
            f"{name}: is no IDX file of unsigned bytes, or is cut off ({len(content):,} bytes)"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def _pair(images_name: str, labels_name: str, content: Mapping[str, bytes]) -> tuple[Bytes, Bytes]:
    images, labels = read_idx(images_name, content[images_name]), read_idx(labels_name, content[labels_name])
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise DatasetError(
            f"{images_name} {images.shape} and {labels_name} {labels.shape} do not go together"
        )
    return images, labels


def _write(folder: Path, what: str, images: Bytes, progress: Progress) -> StoredArray:
    """Pixels as they are, 0 to 255."""
    pixels = images.reshape(len(images), -1)
    step = block_rows(pixels.shape[1])
    with ArrayWriter(folder, f"{what}.npy", *pixels.shape) as writer:
        for start in range(0, len(pixels), step):
            block = pixels[start : start + step]
            writer.append(block.astype(np.float32))
            progress(f"write {what}", start + len(block), len(pixels))
        return writer.stored()


def _filters(spec: ListingsManifest, own: Mapping[str, Column]) -> dict[str, tuple[Filter | None, ...]]:
    """The manifest's filter sets. own: the queries' attributes, one column of q rows each."""
    problems = [
        f"{spec.name}: filters.{name}.{field}: unknown or text column ({choices(field, own)})"
        for name, template in spec.filters.items()
        for field in template
        if KINDS.get(field, "text") == "text"
    ]
    problems += [
        f"{spec.name}: filters.{name}.{field}: a band needs a number, '{field}' is {KINDS[field]}"
        for name, template in spec.filters.items()
        for field, rule in template.items()
        if isinstance(rule, Band) and KINDS.get(field) == "keyword"
    ]
    if problems:
        raise ConfigurationError(problems)
    sets: dict[str, tuple[Filter | None, ...]] = {}
    for name, template in spec.filters.items():
        leaves = [_leaves(field, rule, own[field]) for field, rule in template.items()]
        sets[name] = tuple(parts[0] if len(parts) == 1 else And(parts) for parts in zip(*leaves, strict=True))
    return sets


def _leaves(field: str, rule: Band | str, own: Column) -> list[Filter]:
    values = decoded(own)
    if not isinstance(rule, Band):
        return [Eq(field, value) for value in values]
    edges = [None, *rule.band, None]
    bands = [Range(field, gte=low, lt=high) for low, high in pairwise(edges)]
    return [bands[i] for i in np.searchsorted(rule.band, values, side="right")]
