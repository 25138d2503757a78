"""Synthetic corpora of any size: Gaussian clusters, with attributes whose filters have a chosen share."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

from engines.columns import Column, Keywords
from engines.filters import Filter, Range
from harness.data.dataset import Attribute
from harness.data.manifest import SyntheticManifest
from harness.data.shipped.correlation import choose, correlated_keys, zipf
from harness.data.stored.arrays import ArrayWriter, StoredArray, block_rows, size
from harness.data.stored.store import DatasetParts, save, throttled
from harness.errors import ConfigurationError
from harness.progress import Progress

KEYS = 1_000_000  # the values of the integer column `key`
_TAG_EXPONENT = 0.90
_STAMPS = 2**31

Clusters = npt.NDArray[np.int64]


def build_synthetic(
    folder: Path, spec: SyntheticManifest, progress: Progress, block: int | None = None
) -> None:
    """Writes the corpus of `spec` into `folder`; memory is bounded by a block of vectors and the columns.

    Columns: `key` (integer, uniform; follows the clusters with probability |correlation|), `tag` (keyword,
    Zipf; likewise), `stamp` (integer, uniform, independent) and `flag` (boolean, half true, independent).
    Filter sets `share-S`: a range of `key` that lets the share S through, around the query's own key where
    the correlation is positive or zero and around a distant one where it is negative.
    The content depends on `spec` alone: every quantity has a random stream of its own, read in row order, so
    that neither the block size nor the number of rows changes the rows before.
    """
    _require_room(folder, spec)
    clusters = _stream(spec, "clusters").integers(spec.clusters, size=spec.rows)
    query_clusters = _stream(spec, "query clusters").integers(spec.clusters, size=spec.queries)
    block = block or block_rows(spec.dim)
    report = throttled(progress)
    vectors = _write_vectors(folder, "vectors", spec, clusters, block=block, progress=report)
    queries = _write_vectors(folder, "queries", spec, query_clusters, block=block, progress=report)
    columns = _columns(spec, clusters)
    kinds = {"key": "integer", "tag": "keyword", "stamp": "integer", "flag": "boolean"}
    parts = DatasetParts(
        name=spec.name,
        metric=spec.metric,
        vectors=vectors,
        queries=queries,
        attributes=tuple(Attribute(name, kind, "generated") for name, kind in kinds.items()),  # type: ignore[arg-type]
        columns=columns,
        filters=_filters(spec, query_clusters),
        description=f"{spec.description.strip()} {spec.parameters()}",
    )
    save(folder, parts)


def _require_room(folder: Path, spec: SyntheticManifest) -> None:
    """Raises ConfigurationError where the corpus does not fit on the disk, or what is held while building it in memory.

    A row takes its vector and 21 bytes of columns on disk; in memory its cluster, its random numbers and its columns,
    and a tag or a query's filter a few hundred bytes as Python objects.
    """
    on_disk = 4 * spec.dim * (spec.rows + spec.queries) + 21 * spec.rows
    objects = 300 * (spec.tags + spec.queries * len(spec.selectivities))
    in_memory = 64 * (spec.rows + spec.queries) + 4 * spec.dim * spec.clusters + objects
    what = f"{spec.name}: {spec.rows:,} x {spec.dim:,}, {spec.queries:,} queries"
    remedy = "ask for fewer rows, dimensions, queries, clusters or tags"
    disk, memory = shutil.disk_usage(folder).free, psutil.virtual_memory().available
    problems = [
        f"{what}: needs {size(need)} {place}, {size(free)} free; {remedy}"
        for need, free, place in (
            (on_disk, disk, "on disk"),
            (in_memory, memory, "of memory"),
        )
        if need > free
    ]
    if problems:
        raise ConfigurationError(problems)


def _stream(spec: SyntheticManifest, quantity: str) -> np.random.Generator:
    return np.random.default_rng([spec.seed, *quantity.encode()])


def _write_vectors(
    folder: Path, what: str, spec: SyntheticManifest, clusters: Clusters, *, block: int, progress: Progress
) -> StoredArray:
    """(centre of the cluster + spread * noise), the j-th dimension scaled by j^-decay."""
    shape = (spec.clusters, spec.dim)
    centres = _stream(spec, "centres").standard_normal(shape, dtype=np.float32)
    scales = (np.arange(1, spec.dim + 1) ** -spec.decay).astype(np.float32)
    noise = _stream(spec, f"{what} noise")
    with ArrayWriter(folder, f"{what}.npy", len(clusters), spec.dim) as writer:
        for start in range(0, len(clusters), block):
            members = clusters[start : start + block]
            rows = noise.standard_normal((len(members), spec.dim), dtype=np.float32)
            rows *= np.float32(spec.spread)
            rows += centres[members]
            rows *= scales
            writer.append(rows)
            progress(f"{spec.name}: {what}", start + len(members), len(clusters))
        return writer.stored()


def _columns(spec: SyntheticManifest, clusters: Clusters) -> dict[str, Column]:
    starts, widths = _even_stretches(spec)
    strength = abs(spec.correlation)
    keys = correlated_keys(clusters, starts, widths, strength, _stream(spec, "key"))
    tags = correlated_keys(clusters, starts, widths, strength, _stream(spec, "tag"))
    digits = len(str(spec.tags))
    words = np.array([f"tag-{number:0{digits}}" for number in range(1, spec.tags + 1)], dtype=object)
    return {
        "key": (keys * KEYS).astype(np.int64),
        "tag": Keywords(choose(zipf(spec.tags, _TAG_EXPONENT), tags), words),
        "stamp": _stream(spec, "stamp").integers(_STAMPS, size=spec.rows),
        "flag": _stream(spec, "flag").random(spec.rows) < 0.5,
    }


def _filters(spec: SyntheticManifest, query_clusters: Clusters) -> dict[str, tuple[Filter | None, ...]]:
    starts, widths = _even_stretches(spec)
    own = correlated_keys(query_clusters, starts, widths, 1.0, _stream(spec, "query key"))
    wanted = (own + 0.5) % 1.0 if spec.correlation < 0 else own
    return {
        f"share-{share:g}": tuple(_window(share, position) for position in wanted.tolist())
        for share in spec.selectivities
    }


def _window(share: float, position: float) -> Range:
    """The range of `key` as wide as `share` around `position`, on a grid so that queries share filters."""
    start = min(int(position / share) * share, 1.0 - share)
    return Range("key", gte=round(start * KEYS), lt=round((start + share) * KEYS))


def _even_stretches(spec: SyntheticManifest) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Clusters are equally likely; their expected shares, unlike their counts, do not depend on the rows."""
    return np.arange(spec.clusters) / spec.clusters, np.full(spec.clusters, 1.0 / spec.clusters)
