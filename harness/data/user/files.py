"""A user's files, opened: their vectors, queries, attributes and filters, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from engines.base import Metric
from harness.data.identity import ModelIdentity
from harness.data.manifest import UserManifest
from harness.data.user.columns import ItemColumns, read_columns
from harness.data.user.filters.lines import FilterSource, filter_lines
from harness.data.user.filters.query_column import filter_column
from harness.data.user.filters.tests_file import read_tests
from harness.data.user.finding import HDF5, VECTORS, Found
from harness.data.user.hdf5_file import read_hdf5
from harness.data.user.mark import VectorMark, agreed_model, mark_of
from harness.data.user.tables.opening import open_table
from harness.data.user.tables.parquet_files import open_parquet, parquet_table
from harness.data.user.tables.table import Table
from harness.data.user.vectors.matrix import Matrix
from harness.data.user.vectors.opening import open_matrix
from harness.data.user.vectors.parquet_columns import vector_column, vector_columns
from harness.errors import ConfigurationError, noting

_WITH_NAMES = (".parquet", ".npz")  # files in which vectors have a name


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
    items: ItemColumns = field(default_factory=ItemColumns)
    marks: dict[Path, VectorMark | None] = field(default_factory=dict)  # of its files of vectors
    model: ModelIdentity | None = None
    filters: FilterSource | None = None
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def open_files(found: Found, manifest: UserManifest, stack: ExitStack) -> UserFiles:
    """Opens the data and compares their shapes; `stack` keeps files open while they are read."""
    files = UserFiles(found.path, manifest, found.sidecar, manifest.metric)
    is_hdf5 = found.path.suffix in HDF5
    if is_hdf5:
        _open_hdf5(files, stack)
        tables: list[Table] = []
    else:
        tables = _open_vectors(files, found)
    _open_queries(files, found)
    _open_filters(files, found)
    with noting(files.problems):
        files.model = agreed_model(files.marks, files.sidecar, manifest.model)
    # An HDF5 file that cannot be read might have named it.
    if files.metric is None and not (is_hdf5 and files.problems):
        files.problems.append(
            f"{files.sidecar}: metric is missing; write 'metric: l2', ip or cosine there, or add it to the command: "
            f"{files.path}:metric=l2 or --metric l2"
        )
    _open_attributes(files, found, tables)
    _compare(files, found)
    return files


def _open_vectors(files: UserFiles, found: Found) -> list[Table]:
    """Opens the vectors; returns the table of what stands beside them in their files."""
    tables: list[Table] = []
    if not found.vectors:
        held = ", ".join(sorted(file.name for file in found.path.iterdir())[:10]) or "nothing"
        files.problems.append(f"{found.path}: {VECTORS} is missing (the folder holds: {held})")
        return tables
    with noting(files.problems):
        column, manifest = files.manifest.vectors, files.manifest
        if found.vectors[0].suffix == ".parquet":
            with open_parquet(found.vectors[0]) as file:
                column = vector_column(file, found.vectors[0], column)
                others = [name for name in vector_columns(file, found.vectors[0]) if name != column]
            files.notes += [f"not used: column '{name}', which holds vectors, too" for name in others]
            for path in found.vectors:
                mark = files.marks[path] = mark_of(path)
                if mark is not None:
                    files.metric = files.metric or mark.metric
                    if "id" not in manifest.model_fields_set:
                        files.manifest = manifest.model_copy(update={"id": mark.id})
            tables.append(parquet_table(found.vectors, [column, *others]))
        files.vectors = open_matrix(found.vectors, column)
    return tables


def _open_queries(files: UserFiles, found: Found) -> None:
    asked = files.manifest.queries
    paths, place = found.queries, ""
    if isinstance(asked, str):
        if (found.path.is_dir() and (paths or found.tests)) or files.brings_queries:
            files.problems.append(
                f"{files.sidecar}: queries names {files.sidecar.parent / asked}, but {files.path} brings queries; "
                "remove one"
            )
            return
        paths, place = (files.sidecar.parent / asked,), f"{files.sidecar}: queries: "
    elif isinstance(asked, int) and not found.path.is_dir():
        paths = ()  # those beside a single file are not asked for
    if not paths:
        return
    files.brings_queries = True
    with noting(files.problems, place):
        if not paths[0].is_file():
            raise ConfigurationError(f"{paths[0]}: no such file; its path starts from {files.sidecar.parent}")
        files.queries = _query_matrix(files, paths)


def _query_matrix(files: UserFiles, paths: Sequence[Path]) -> Matrix:
    if paths[0].suffix != ".parquet":
        return open_matrix(paths)
    with open_parquet(paths[0]) as file:
        column = None if files.vectors is None else files.vectors.column
        if column not in vector_columns(file, paths[0]):
            column = vector_column(file, paths[0], None)
    if not files.marks:
        files.marks[files.path] = None
    files.marks |= {path: mark_of(path) for path in paths}
    files.filters, unused = filter_column(parquet_table(paths, [column]), files.manifest.id)
    files.notes += unused
    return open_matrix(paths, column)


def _open_filters(files: UserFiles, found: Found) -> None:
    """The filters of queries where they stand in a file of their own, or the queries with them."""
    if found.tests and not files.brings_queries:
        files.brings_queries = True
        with noting(files.problems):
            files.queries, files.filters, unused = read_tests(found.tests[0])
            files.notes += unused
    if not found.filters or (isinstance(files.manifest.queries, str) and not found.path.is_dir()):
        return  # what lies beside a single file belongs to the queries there
    path = found.filters[0]
    if not files.brings_queries:
        files.problems.append(
            f"{path}: has one filter a query, so it needs queries.npy or queries.parquet beside it"
        )
    elif files.filters is not None:
        files.problems.append(f"{path}: {files.filters.label} holds filters, too; remove one of them")
    else:
        with noting(files.problems):
            files.filters = filter_lines(path)


def _open_attributes(files: UserFiles, found: Found, tables: list[Table]) -> None:
    if found.attributes:
        with noting(files.problems):
            tables.append(open_table(found.attributes, files.manifest.id))
    manifest = files.manifest
    if tables:
        files.items = read_columns(tables, manifest, files.sidecar, files.vectors)
        files.problems += files.items.problems
    elif files.vectors is None:
        return  # whether there are columns is not known: what cannot be opened is named
    elif not found.attributes and any(
        (manifest.fill, manifest.tags, manifest.text, manifest.columns, manifest.exclude)
    ):
        files.problems.append(
            f"{files.sidecar}: fill, tags, text, columns and exclude are about columns, but there are none; remove them"
        )


def _open_hdf5(files: UserFiles, stack: ExitStack) -> None:
    found = read_hdf5(files.path, stack)
    files.vectors, files.queries, files.brings_queries = found.vectors, found.queries, found.brings_queries
    files.problems += found.problems
    files.notes += found.notes
    if found.metric is not None:
        if files.metric not in (None, found.metric):
            files.problems.append(
                f"{files.sidecar}: metric is {files.metric}, but {files.path} says {found.metric}; remove metric"
            )
        files.metric = found.metric


def _compare(files: UserFiles, found: Found) -> None:
    vectors, queries, manifest = files.vectors, files.queries, files.manifest
    if manifest.vectors is not None and found.vectors and found.vectors[0].suffix not in _WITH_NAMES:
        files.problems.append(
            f"{files.sidecar}: vectors names a column, but {found.vectors[0]} has none; remove it"
        )
    if files.brings_queries and isinstance(manifest.queries, int):
        files.problems.append(
            f"{files.sidecar}: queries holds out rows, but {files.path} brings queries; remove one"
        )
    if vectors is not None and queries is not None and queries.dim != vectors.dim:
        files.problems.append(
            f"{queries.label}: has {queries.dim} dimensions, but {vectors.label} has {vectors.dim}; "
            "both must come from the same model"
        )
