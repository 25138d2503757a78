"""An ann-benchmarks HDF5 file: train becomes the corpus, test the queries; the rest is left alone."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engines.base import Metric
from engines.values.shown import is_unicode, shown
from harness.data.metric_words import KNOWN, metric_named
from harness.data.user.vectors.hdf5 import from_hdf5
from harness.data.user.vectors.matrix import Matrix
from harness.errors import ConfigurationError, noting

if TYPE_CHECKING:
    import h5py


@dataclass(slots=True)
class Hdf5File:
    """What was found, and what is wrong with it. brings_queries: also where they cannot be read."""

    metric: Metric | None = None
    vectors: Matrix | None = None
    queries: Matrix | None = None
    brings_queries: bool = False
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_hdf5(path: Path, stack: ExitStack) -> Hdf5File:
    """Opens a file; `stack` keeps it open while it is read."""
    import h5py

    found = Hdf5File()
    try:
        file = stack.enter_context(h5py.File(path, "r"))
        found.brings_queries = "test" in file
        with noting(found.problems):
            _read(found, file, path)
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:  # all of them, of damaged files
        found.problems.append(f"{path}: is no intact HDF5 file ({error})")
    return found


def _read(found: Hdf5File, file: h5py.File, path: Path) -> None:
    """Raises ConfigurationError, and for a damaged file whatever h5py raises."""
    distance = _one_text(file, path, "distance")
    kind = _one_text(file, path, "type")
    if kind == "sparse":
        raise ConfigurationError(f"{path}: holds sparse vectors; only dense ones can be measured")
    if distance is not None:
        found.metric = metric_named(distance)
        if found.metric is None:
            raise ConfigurationError(
                f"{path}: distance {shown(distance)} cannot be measured; these can: {KNOWN}"
            )
    others = [str(name) for name in file if name not in ("train", "test")]
    if others:
        found.notes.append(f"not used: {', '.join(others)}")
    with noting(found.problems):
        found.vectors = from_hdf5(file, path, "train")
    if found.brings_queries:
        found.queries = from_hdf5(file, path, "test")


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
