"""A matrix opened by its file's ending, whatever the format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.data.user.vectors.matrix import Matrix, joined
from harness.data.user.vectors.numpy_files import from_npy
from harness.data.user.vectors.parquet import from_parquet_files
from harness.errors import ConfigurationError

_READERS: Mapping[str, Callable[[Path], Matrix]] = {".npy": from_npy}
SUFFIXES = (*_READERS, ".parquet")  # of files that hold vectors


def open_matrix(paths: Sequence[Path], column: str | None = None) -> Matrix:
    """The rows of all files, file after file, in the order given.

    column: of Parquet files the one that holds the vectors; found where there is only one such. Raises
    ConfigurationError, which names the file, where one is not what its ending says, or where they do not fit together.
    """
    if all(path.suffix == ".parquet" for path in paths):
        return from_parquet_files(paths, column)
    problems: list[str] = []
    parts: list[Matrix] = []
    for path in paths:
        reader = _READERS.get(path.suffix)
        try:
            if reader is None:
                raise ConfigurationError(
                    f"{path}: is no file of vectors; its ending must be one of {', '.join(SUFFIXES)}, and all parts "
                    "of one matrix need the same"
                )
            parts.append(reader(path))
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)
    return joined(parts)
