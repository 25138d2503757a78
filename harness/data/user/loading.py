"""Bring your own: a user's files as a dataset, checked once per state of the files."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.data.dataset import Dataset
from harness.data.manifest import UserManifest, read_user_manifest
from harness.data.stored.arrays import ArrayHasher, ArrayWriter, StoredArray, size
from harness.data.stored.store import DatasetParts, cached, key_of, open_dataset, save, throttled
from harness.data.user.files import UserFiles, open_files
from harness.data.user.filters.lines import read_filters
from harness.data.user.finding import QUERIES, VECTORS, Found, find
from harness.data.user.vectors.matrix import Matrix
from harness.data.user.vectors.transfer import transfer
from harness.errors import ConfigurationError, noting
from harness.progress import Progress

_HELD_OUT = 1_000

Mask = npt.NDArray[np.bool_]


def load_user_data(path: Path, changes: Mapping[str, Any], cache: Path, progress: Progress) -> Dataset:
    """The dataset at `path`; checked, hashed and where necessary converted once per state of its files.

    changes: keys of dataset.yaml, set from outside. Raises ConfigurationError with every problem found.
    """
    found = find(path)
    manifest = read_user_manifest(found.sidecar, changes, path.name)
    files = found.files
    if isinstance(manifest.queries, str):
        files.append(found.sidecar.parent / manifest.queries)
    states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.exists()]
    # How pictures are shown changes no content.
    content = manifest.model_dump(mode="json", exclude={"picture"})
    key = f"{_title(path)}-{key_of(path.resolve(), states, content)}"
    dataset = open_dataset(cached(cache, key, partial(_build, found, manifest, progress), progress))
    # Other files beside the data come and go without making it another data set.
    return replace(dataset, description=_described(dataset.description, [found.note] if found.note else []))


def _described(text: str, notes: Sequence[str]) -> str:
    """A description with notes behind it, each a sentence of its own."""
    text = text.strip()
    if text and notes and text[-1] not in ".!?":
        text += "."
    return " ".join([text, *(f"{note}." for note in notes)]).strip()


def _title(path: Path) -> str:
    whole = path.resolve()  # for "." the name of the folder itself
    return whole.name if whole.is_dir() else whole.stem


def _build(found: Found, manifest: UserManifest, progress: Progress, folder: Path) -> None:
    with ExitStack() as stack:
        files = open_files(found, manifest, stack)
        if files.vectors is None:
            raise ConfigurationError(files.problems)
        held_out = _held_out(files, files.vectors.rows)
        stored = _store(files, files.vectors, held_out, folder, throttled(progress))
    items, filters = files.items, None
    if files.filters is not None:
        queries = None if files.queries is None else files.queries.rows
        filters, problems = read_filters(files.filters, queries, items.attributes)
        files.problems += problems
    if files.problems or files.metric is None:
        raise ConfigurationError(files.problems)
    notes = [
        f"{what} {matrix.note}"
        for what, matrix in (("vectors", files.vectors), ("queries", files.queries))
        if matrix is not None and matrix.note
    ]
    notes += [
        f"not used: {matrix.unused}"
        for matrix in (files.vectors, files.queries)
        if matrix is not None and matrix.unused
    ]
    notes += [*files.notes, *items.notes]
    columns, ids = items.columns, items.ids
    if held_out is not None:
        kept = ~held_out
        columns = {name: column[kept] for name, column in columns.items()}
        ids = ids and list(compress(ids, kept))
        notes.append(f"{held_out.sum():,} rows drawn at random are held out as queries")
    save(
        folder,
        DatasetParts(
            name=manifest.name or _title(found.path),
            metric=files.metric,
            vectors=stored[VECTORS],
            queries=stored[QUERIES],
            attributes=tuple(items.attributes),
            columns=columns,
            filters={} if filters is None else {"filters": filters},
            ids=ids,
            description=_described(manifest.description, notes),
            model=files.model,
        ),
    )


def _held_out(files: UserFiles, rows: int) -> Mask | None:
    """Which items become queries where the data bring none: always the same ones. bool[rows]."""
    if files.brings_queries:
        return None
    asked = files.manifest.queries
    count = asked if isinstance(asked, int) else min(_HELD_OUT, rows // 10)
    if not 0 < count < rows:
        files.problems.append(
            f"{files.path}: brings no queries, and {count:,} of its {rows:,} rows cannot be held out; "
            f"set queries in {files.sidecar.name} to less than the rows, or add {QUERIES}"
        )
        return None
    mask = np.zeros(rows, dtype=np.bool_)
    mask[np.random.default_rng(0).choice(rows, size=count, replace=False)] = True
    return mask


def _store(
    files: UserFiles, vectors: Matrix, held_out: Mask | None, folder: Path, progress: Progress
) -> dict[str, StoredArray]:
    """Checks and stores both matrices by file name; what can be mapped where it lies is not copied."""
    jobs: list[tuple[Matrix, dict[str, Mask | None]]] = [(vectors, {VECTORS: None})]
    if held_out is not None:
        jobs = [(vectors, {VECTORS: ~held_out, QUERIES: held_out})]
    elif files.queries is not None:
        jobs.append((files.queries, {QUERIES: None}))
    _require_room(folder, jobs)
    stored: dict[str, StoredArray] = {}
    for matrix, masks in jobs:
        with ExitStack() as stack, noting(files.problems):
            sinks = {name: _sink(folder, name, matrix, mask, stack) for name, mask in masks.items()}
            parts = [(sinks[name], mask) for name, mask in masks.items()]
            files.problems += transfer(matrix, files.metric, parts, progress)
            stored |= {name: sink.stored() for name, sink in sinks.items()}
    return stored


def _require_room(folder: Path, jobs: list[tuple[Matrix, dict[str, Mask | None]]]) -> None:
    """Raises ConfigurationError where the copies do not fit: a compressed file may stand for any size."""
    copied = [
        matrix
        for matrix, masks in jobs
        if not (matrix.usable and all(mask is None for mask in masks.values()))
    ]
    need, free = sum(4 * matrix.rows * matrix.dim for matrix in copied), shutil.disk_usage(folder).free
    if need > free:
        sizes = " and ".join(f"{matrix.label} ({matrix.rows:,} x {matrix.dim:,})" for matrix in copied)
        raise ConfigurationError(
            f"{sizes}: needs {size(need)} on disk as float32, {size(free)} free; "
            "free some space, set BAKEOFF_CACHE to another folder, or store fewer rows"
        )


def _sink(folder: Path, name: str, matrix: Matrix, mask: Mask | None, stack: ExitStack) -> ArrayHasher:
    if matrix.usable and mask is None:
        return ArrayHasher(str(matrix.usable.resolve()), matrix.rows, matrix.dim)
    rows = matrix.rows if mask is None else int(mask.sum())
    return stack.enter_context(ArrayWriter(folder, name, rows, matrix.dim))
