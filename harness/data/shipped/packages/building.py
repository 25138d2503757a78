"""Builds the dataset of a package index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engines.columns import Column, Keywords, Nullable, Tags
from harness.data.dataset import Attribute
from harness.data.shipped.packages.filters import own_filters
from harness.data.shipped.packages.index import package_index
from harness.data.shipped.packages.manifest import PackagesManifest
from harness.data.shipped.packages.reading import Package
from harness.data.stored.arrays import ArrayWriter, StoredArray, block_rows
from harness.data.stored.store import DatasetParts, save, throttled
from harness.data.texts.wordllama import TokenVectors, token_vectors
from harness.errors import ConfigurationError
from harness.progress import Progress

# Whoever maintains a package is left out: people do not filter by it, and it names persons.
ATTRIBUTES = (
    Attribute("section", "keyword", "real", optional=True),
    Attribute("priority", "keyword", "real", optional=True),
    Attribute("installed_size", "integer", "real", optional=True),
    Attribute("tags", "tags", "real", optional=True),
    Attribute("title", "text", "real"),
)


def build_packages(folder: Path, spec: PackagesManifest, cache: Path, progress: Progress) -> None:
    """Writes the dataset of `spec` into `folder`; its index is fetched into `cache` first.

    Raises ConfigurationError where there is no model for texts or too few packages, DatasetError where there is no
    index.
    """
    model = token_vectors()  # before anything is fetched
    index = package_index(spec, cache, progress)
    if spec.queries >= len(index.packages):
        raise ConfigurationError(
            f"{spec.name}: queries: {spec.queries:,} of {len(index.packages):,} packages leave no items; "
            f"ask for fewer than {len(index.packages):,}"
        )
    items, queries = _parted(index.packages, spec)
    short = sum(1 for one in index.packages if one.text == one.summary)
    save(
        folder,
        DatasetParts(
            name=spec.name,
            metric="cosine",
            vectors=_embedded(folder, "vectors", items, model, throttled(progress)),
            queries=_embedded(folder, "queries", queries, model, throttled(progress)),
            attributes=ATTRIBUTES,
            columns=_columns(items),
            filters=own_filters(spec, queries),
            ids=[one.name for one in items],
            description=f"{' '.join(spec.description.split())} Read: {index.read}; {len(index.packages):,} packages, "
            f"{short:,} of them with a short description only.",
            model=model.identity,
        ),
    )


def _parted(packages: Sequence[Package], spec: PackagesManifest) -> tuple[list[Package], list[Package]]:
    """Items and queries, both in an order of the seed's, so that the first few are a sample."""
    order = [packages[i] for i in np.random.default_rng(spec.seed).permutation(len(packages)).tolist()]
    return order[spec.queries :], order[: spec.queries]


def _columns(items: Sequence[Package]) -> dict[str, Column]:
    return {
        "section": Keywords.encode([one.section for one in items]),
        "priority": Keywords.encode([one.priority for one in items]),
        "installed_size": Nullable(
            np.array([one.installed_size or 0 for one in items], np.int64),
            np.array([one.installed_size is not None for one in items]),
        ),
        "tags": Tags.encode([one.tags for one in items]),
        "title": Keywords.encode([f"{one.name}: {one.summary}" for one in items]),
    }


def _embedded(
    folder: Path, what: str, packages: Sequence[Package], model: TokenVectors, progress: Progress
) -> StoredArray:
    """Unit vectors of the descriptions."""
    step = block_rows(model.dim)
    with ArrayWriter(folder, f"{what}.npy", len(packages), model.dim) as writer:
        for start in range(0, len(packages), step):
            vectors, _ = model.means([one.text for one in packages[start : start + step]])
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            writer.append(vectors / lengths)
            progress(f"embed {what}", start + len(vectors), len(packages))
        return writer.stored()
