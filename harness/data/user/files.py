"""A user's files, opened: a folder of arrays, a Parquet file, or an ann-benchmarks HDF5 file."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engines.base import Metric
from engines.values.shown import is_unicode, shown
from harness.data.identity import ModelIdentity
from harness.data.manifest import UserManifest
from harness.data.metric_words import KNOWN, metric_named
from harness.data.user.columns import ItemColumns, open_parquet, read_table
from harness.data.user.mark import VectorMark, agreed_model, mark_of
from harness.data.user.vectors.hdf5 import from_hdf5
from harness.data.user.vectors.matrix import Matrix
from harness.data.user.vectors.opening import open_matrix
from harness.data.user.vectors.parquet_columns import vector_column
from harness.errors import ConfigurationError, noting

if TYPE_CHECKING:
    import h5py

VECTORS, QUERIES, ATTRIBUTES, FILTERS = "vectors.npy", "queries.npy", "attributes.parquet", "filters.jsonl"
MANIFEST = "dataset.yaml"
HDF5 = (".hdf5", ".h5")


@dataclass(slots=True)
class UserFiles:
    """What was found, and what is wrong with it: problems are gathered, so that one run names them all."""

    path: Path
    manifest: UserManifest
    sidecar: Path
    metric: Metric | None
    vectors: Matrix | None = None
    queries: Matrix | None = None
    brings_queries: bool = False  # also where they could not be read
    table: ItemColumns | None = None
    marks: dict[Path, VectorMark | None] = field(default_factory=dict)  # of its Parquet files of vectors
    model: ModelIdentity | None = None
    filters: Path | None = None
    problems: list[str] = field(default_factory=list)


def inputs(path: Path) -> tuple[Path, list[Path]]:
    """The manifest beside the data at `path`, and the files that may hold them. Raises ConfigurationError."""
    if path.is_dir():
        sidecar, files = path / MANIFEST, [path / name for name in (VECTORS, QUERIES, ATTRIBUTES, FILTERS)]
        strays = _strays(path, [*files, sidecar])
    elif path.suffix in (".parquet", *HDF5):
        sidecar, files = path.with_suffix(".yaml"), [path]
        strays = _strays(path.parent, [sidecar], (".yml", ".yaml"))
    else:
        raise ConfigurationError(
            f"{path}: is no dataset; give a folder with {VECTORS}, a .parquet file, an ann-benchmarks .hdf5 "
            "or .h5 file, or a manifest .yaml"
        )
    if strays:
        raise ConfigurationError(strays)
    return sidecar, files


def _strays(folder: Path, expected: list[Path], suffixes: tuple[str, ...] = ()) -> list[str]:
    """Files that differ from a missing one by case and ending (one of `suffixes`; any if there are none), such as
    attributes.csv or dataset.yml: the user expects them to be read.
    """
    return [
        f"{stray}: is not read; save it as {file.name}, or rename it"
        for file in expected
        if not file.exists()
        for stray in sorted(folder.iterdir())
        if stray.stem.casefold() == file.stem.casefold() and stray.suffix
        if not suffixes or stray.suffix.casefold() in suffixes
    ]


def open_files(path: Path, sidecar: Path, manifest: UserManifest, stack: ExitStack) -> UserFiles:
    """Opens the data and compares their shapes; `stack` keeps files open while they are read."""
    files = UserFiles(path, manifest, sidecar, manifest.metric)
    if path.is_dir():
        _open_folder(files)
    elif path.suffix == ".parquet":
        _open_parquet(files)
    else:
        _open_hdf5(files, stack)
    if isinstance(manifest.queries, str):
        files.marks.setdefault(path, None)
        _open_queries(files, sidecar.parent / manifest.queries)
    with noting(files.problems):
        files.model = agreed_model(files.marks, sidecar, manifest.model)
    # An HDF5 file that cannot be read might have named it.
    if files.metric is None and not (path.suffix in HDF5 and files.problems):
        files.problems.append(
            f"{sidecar}: metric is missing; write 'metric: l2', ip or cosine there, or add it to the command: "
            f"{path}:metric=l2 or --metric l2"
        )
    if manifest.vectors is not None and path.suffix != ".parquet":
        files.problems.append(f"{sidecar}: vectors names a Parquet column, but {path} is none; remove it")
    if files.table is None and (manifest.fill or manifest.text):
        files.problems.append(f"{sidecar}: fill and text are about columns, but there are none; remove them")
    if files.brings_queries and isinstance(manifest.queries, int):
        files.problems.append(f"{sidecar}: queries holds out rows, but {path} brings queries; remove one")
    _compare(files)
    return files


def _open_folder(files: UserFiles) -> None:
    folder = files.path
    vectors, queries, attributes, filters = (
        folder / name for name in (VECTORS, QUERIES, ATTRIBUTES, FILTERS)
    )
    files.brings_queries = queries.exists()
    if vectors.exists():
        with noting(files.problems):
            files.vectors = open_matrix([vectors])
    else:
        held = ", ".join(sorted(file.name for file in folder.iterdir())[:10]) or "nothing"
        files.problems.append(f"{folder}: {VECTORS} is missing (the folder holds: {held})")
    if files.brings_queries:
        with noting(files.problems):
            files.queries = open_matrix([queries])
    if attributes.exists():
        with noting(files.problems):
            files.table = read_table(attributes, files.manifest, files.sidecar)
    if filters.exists():
        files.filters = filters
        if not files.brings_queries:
            files.problems.append(f"{filters}: has one filter a query, so it needs {QUERIES} beside it")


def _open_parquet(files: UserFiles) -> None:
    path = files.path
    with noting(files.problems):
        with open_parquet(path) as file:
            column = vector_column(file, path, files.manifest.vectors)
        mark = files.marks[path] = mark_of(path)
        if mark is not None:
            files.metric = files.metric or mark.metric
            if "id" not in files.manifest.model_fields_set:
                files.manifest = files.manifest.model_copy(update={"id": mark.id})
        files.table = read_table(path, files.manifest, files.sidecar, skip=column)
        files.vectors = open_matrix([path], column)


def _open_queries(files: UserFiles, path: Path) -> None:
    """Queries from a Parquet file of their own, such as the vectors of users."""
    if files.brings_queries:
        files.problems.append(
            f"{files.sidecar}: queries names {path}, but {files.path} brings queries; remove one"
        )
        return
    files.brings_queries = True
    with noting(files.problems, f"{files.sidecar}: queries: "):
        if not path.is_file():
            raise ConfigurationError(f"{path}: no such file; its path starts from {files.sidecar.parent}")
        with open_parquet(path) as file:
            column = vector_column(file, path, None)
        files.marks[path] = mark_of(path)
        files.queries = open_matrix([path], column)


def _open_hdf5(files: UserFiles, stack: ExitStack) -> None:
    """Train becomes the corpus, test the queries; the file's own neighbours are left alone."""
    import h5py

    path = files.path
    try:
        file = stack.enter_context(h5py.File(path, "r"))
        files.brings_queries = "test" in file
        with noting(files.problems):
            _read_hdf5(files, file)
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:  # all of them, of damaged files
        files.problems.append(f"{path}: is no intact HDF5 file ({error})")


def _read_hdf5(files: UserFiles, file: h5py.File) -> None:
    """Raises ConfigurationError, and for a damaged file whatever h5py raises."""
    path = files.path
    distance = _one_text(file, path, "distance")
    kind = _one_text(file, path, "type")
    if kind == "sparse":
        raise ConfigurationError(f"{path}: holds sparse vectors; only dense ones can be measured")
    if distance is not None:
        _settle_metric(files, _metric(path, distance))
    with noting(files.problems):
        files.vectors = from_hdf5(file, path, "train")
    if files.brings_queries:
        files.queries = from_hdf5(file, path, "test")


def _one_text(file: h5py.File, path: Path, name: str) -> str | None:
    """An attribute of the file, as a text: alone, or as other tools write it, in an array of one. None: it has none.

    Raises ConfigurationError.
    """
    if name not in file.attrs:
        return None
    try:
        values = np.asarray(file.attrs[name]).reshape(-1).tolist()
        (value,) = values
        text = value.decode() if isinstance(value, bytes) else value
        if isinstance(text, str) and is_unicode(text):
            return text.strip("\0 ")
    except (OSError, TypeError, ValueError, UnicodeDecodeError):
        pass  # a type that NumPy lacks, several values or none, no UTF-8
    raise ConfigurationError(f"{path}: its attribute '{name}' cannot be understood; it must be one text")


def _metric(path: Path, distance: str) -> Metric:
    metric = metric_named(distance)
    if metric is None:
        raise ConfigurationError(f"{path}: distance {shown(distance)} cannot be measured; these can: {KNOWN}")
    return metric


def _settle_metric(files: UserFiles, brought: Metric) -> None:
    if files.metric not in (None, brought):
        files.problems.append(
            f"{files.sidecar}: metric is {files.metric}, but {files.path} says {brought}; remove metric"
        )
    files.metric = brought


def _compare(files: UserFiles) -> None:
    vectors, queries, table = files.vectors, files.queries, files.table
    if table is not None:
        files.problems += table.problems
    if vectors is None:
        return
    if table is not None and table.rows != vectors.rows:
        files.problems.append(
            f"{files.path / ATTRIBUTES}: has {table.rows:,} rows, but {vectors.label} has {vectors.rows:,}; "
            "row i of one belongs to row i of the other"
        )
    if queries is not None and queries.dim != vectors.dim:
        files.problems.append(
            f"{queries.label}: has {queries.dim} dimensions, but {vectors.label} has {vectors.dim}; "
            "both must come from the same model"
        )
