"""A matrix opened by its file's ending, whatever the format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.data.user.vectors import big_ann, texmex
from harness.data.user.vectors.matrix import Matrix, joined
from harness.data.user.vectors.npz import from_npz
from harness.data.user.vectors.numpy_files import from_npy
from harness.data.user.vectors.parquet import from_parquet
from harness.data.user.vectors.signatures import LONGEST, mistaken
from harness.errors import ConfigurationError, noting

SUFFIXES = (".npy", ".npz", ".parquet", *texmex.KINDS, *big_ann.KINDS)  # of files that hold vectors


def open_matrix(paths: Sequence[Path], column: str | None = None) -> Matrix:
    """The rows of all files, file after file, in the order given.

    column: of Parquet files the one that holds the vectors, of .npz files the array; found where only one can be it.
    Parquet files without rows are passed over beside others. Raises ConfigurationError, which names the file, where one
    is not what its ending says, or where they do not fit together.
    """
    problems: list[str] = []
    parts: list[Matrix] = []
    for path in paths:
        with noting(problems):
            parts.append(_open(path, column))
            column = column or parts[-1].column
    if problems:
        raise ConfigurationError(problems)
    filled = [part for part in parts if part.rows]
    if not filled:
        raise ConfigurationError(
            f"{paths[0]}: is empty" if len(paths) == 1 else f"{paths[0].parent}: all parts are empty"
        )
    return joined(filled)


def _open(path: Path, column: str | None) -> Matrix:
    try:
        with path.open("rb") as file:
            start = file.read(LONGEST)
        return _read(path, column)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ConfigurationError as error:
        raise ConfigurationError(mistaken(path, start) or error.problems) from error


def _read(path: Path, column: str | None) -> Matrix:
    if path.suffix == ".npy":
        return from_npy(path)
    if path.suffix == ".npz":
        return from_npz(path, column)
    if path.suffix == ".parquet":
        return from_parquet(path, column)
    if path.suffix in texmex.KINDS:
        return texmex.from_vecs(path)
    if path.suffix in big_ann.KINDS:
        return big_ann.from_bin(path)
    raise ConfigurationError(
        f"{path}: is no file of vectors that can be read; its ending must be one of {', '.join(SUFFIXES)}"
    )
