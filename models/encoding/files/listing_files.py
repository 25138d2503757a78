"""Listings of a file, or those that a model left for engines, with their vectors."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engines.values.shown import shown
from harness.data.manifest import UserManifest
from harness.data.user.finding import ATTRIBUTES, MANIFEST, VECTORS
from harness.data.user.vectors.numpy_files import from_npy
from harness.errors import ConfigurationError, noting
from harness.progress import Progress, silent
from harness.scenario.strict import read_yaml
from models.data.items import MISSING, Categories, Items
from models.data.reading.ids import encode_ids
from models.data.reading.item_file import items_of
from models.data.reading.options import ItemOptions
from models.data.reading.table import Table, parquet_table
from models.encoding.encoder import EncodedListings
from models.encoding.model import DATASET, Model
from models.encoding.padding import unpadded_listings
from models.features.features import Float32

_CHUNK = 1 << 16  # listings at a time, so that what is known of their text fits into memory


@dataclass(frozen=True, slots=True)
class Catalogue:
    """n listings that histories are made of. ids: object[n]. vectors: float32[n, d], as the user tower takes them."""

    ids: npt.NDArray[np.object_]
    vectors: Float32


def read_listings(path: Path, options: ItemOptions) -> tuple[Items, tuple[str, ...]]:
    """The listings of a Parquet file as a model reads them (`Model.items`), and the columns that it does not read.

    A column without a value is one of which every listing lacks its value. Raises ConfigurationError with every
    problem: a column that is not there, ids that are missing or repeated, values that cannot be read.
    """
    table = parquet_table(path)
    wanted = dict.fromkeys((*options.categories, *options.numbers, *options.texts))
    problems = [
        table.lacking(name, "the model reads it: add it, empty where nothing is known")
        for name in wanted
        if name not in table.names
    ]
    if options.id not in table.names:
        problems.insert(0, table.lacking(options.id, "the model's training had the ids there: rename yours"))
    items = Items(np.empty(0, object))
    if options.id in table.names:
        with noting(problems):
            items = items_of(*_only(table, options, wanted))
    if problems:
        raise ConfigurationError(problems)
    ignored = tuple(name for name in table.names if name not in {*wanted, options.id, options.listed})
    return _filled(items, options), ignored


def _only(table: Table, options: ItemOptions, wanted: dict[str, None]) -> tuple[Table, ItemOptions]:
    """Of the file the columns that are read; of the options what the file has."""

    def there(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name in table.names)

    names = there((options.id, *wanted))
    kept = ItemOptions(
        id=options.id,
        categories=there(options.categories),
        numbers=there(options.numbers),
        texts=there(options.texts),
    )
    return replace(table, names=names), kept


def _filled(items: Items, options: ItemOptions) -> Items:
    """With the columns that hold no value, which are not among those read."""
    rows = len(items)
    empty = Categories(np.full(rows, MISSING, np.int32), ())
    return replace(
        items,
        categories={name: items.categories.get(name, empty) for name in options.categories},
        numbers={name: items.numbers.get(name, np.full(rows, np.nan)) for name in options.numbers},
        texts={name: items.texts.get(name, np.full(rows, "", object)) for name in options.texts},
    )


def encode_listings(
    model: Model, path: Path, progress: Progress = silent
) -> tuple[npt.NDArray[np.object_], EncodedListings]:
    """The ids object[n] of the listings of a Parquet file, and their vectors, every one finite.

    Raises ConfigurationError with every problem of the file: see `read_listings`; ids of another type than the model's.
    """
    items, ignored = read_listings(path, model.items)
    missing: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    parts = []
    problems: list[str] = []
    for first in range(0, len(items), _CHUNK):
        progress("encoding listings", first, len(items))
        # Overflow is looked for below.
        with noting(problems, f"{path}: "), np.errstate(over="ignore", invalid="ignore"):
            parts.append(model.encoder.listings(items.take(slice(first, first + _CHUNK))))
        if problems:
            raise ConfigurationError(problems)
        missing.update(parts[-1].missing)
        unknown.update(parts[-1].unknown)
    vectors = np.concatenate([part.vectors for part in parts])
    require_finite(vectors, items.ids, f"{model.folder}: the vector of listing")
    rows = np.concatenate([part.ids for part in parts])
    return items.ids, EncodedListings(vectors, rows, missing, unknown, ignored)


def require_finite(vectors: Float32, ids: npt.NDArray[np.object_], label: str) -> None:
    """Raises ConfigurationError where a vector of float32[n, d] is not finite, or points nowhere: all zeros."""
    faulty = ~np.isfinite(vectors).all(axis=1) | ~vectors.any(axis=1)
    if faulty.any():
        row = int(np.argmax(faulty))
        raise ConfigurationError(
            f"{label} {shown(ids[row])} is zero or not finite ({int(faulty.sum()):,} of {len(ids):,} are): the model's "
            "weights are too large or too small to compute with; train it again with a lower learning rate"
        )


def published_listings(model: Model) -> Catalogue:
    """The listings of the dataset in a model's folder.

    Raises ConfigurationError where there is none, it is of another model, or damaged.
    """
    folder = model.folder / DATASET
    path = folder / MANIFEST
    if not path.is_file():
        raise ConfigurationError(
            f"{folder}: holds no dataset; name the listings of the histories with --listings"
        )
    try:
        manifest = UserManifest.model_validate(read_yaml(path, "metric and name"))
    except ValueError as error:
        raise ConfigurationError(f"{path}: is damaged ({error}); copy the model's folder again") from error
    made_by = None if manifest.model is None else manifest.model.identity()
    if made_by != model.identity:
        raise ConfigurationError(
            f"{folder}: its vectors are by {made_by.label if made_by else 'no model'}, those of users would be by "
            f"{model.identity.label}; copy the model's folder again, or name the listings with --listings"
        )
    table = parquet_table(folder / ATTRIBUTES)
    if manifest.id not in table.names:
        raise ConfigurationError(table.lacking(manifest.id, "copy the model's folder again"))
    ids = encode_ids(table.read(manifest.id), table.label(manifest.id)).objects()
    return Catalogue(ids, _published_vectors(model, folder / VECTORS, len(ids)))


def _published_vectors(model: Model, path: Path, rows: int) -> Float32:
    weights = model.encoder.weights
    matrix = from_npy(path)
    dim = weights.dim + (2 if weights.weight else 0)
    if (matrix.rows, matrix.dim) != (rows, dim):
        raise ConfigurationError(
            f"{path}: holds {matrix.rows:,} vectors of {matrix.dim} dimensions instead of {rows:,} of {dim}; copy the "
            "model's folder again"
        )
    vectors = np.concatenate(list(matrix.blocks()), dtype=np.float32)
    if not np.isfinite(vectors).all():
        raise ConfigurationError(f"{path}: holds values that are not finite; copy the model's folder again")
    return unpadded_listings(vectors) if weights.weight else vectors
