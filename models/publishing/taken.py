"""How often each listing of a dataset was taken in training, beside it: for whoever judges how popular answers are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.errors import ConfigurationError
from models.evaluation.popularity import Popularity
from models.features.stored import read_arrays, write_arrays

TAKEN = "taken.npz"


def write_taken(folder: Path, popularity: Popularity, kept: npt.NDArray[np.int64]) -> None:
    """Writes it for the rows that a dataset keeps of its catalogue. Raises MeasurementError."""
    write_arrays(folder / TAKEN, {"taken": popularity.taken[kept], "users": np.array(popularity.users)})


def read_taken(folder: Path, items: int) -> Popularity:
    """The popularity of a dataset's `items` listings.

    Raises ConfigurationError where the file is missing, damaged or of other listings.
    """
    path = folder / TAKEN
    if not path.exists():
        raise ConfigurationError(
            f"{path}: is missing; only a dataset that this version wrote has it, so train the model again"
        )
    held = read_arrays(path)
    taken, users = held.get("taken"), held.get("users")
    whole = taken is not None and users is not None and taken.shape == (items,) and users.shape == ()
    if not whole or taken.dtype != np.int64:  # type: ignore[union-attr]
        raise ConfigurationError(
            f"{path}: must hold 'taken' for {items:,} listings, and 'users'; copy the whole folder again"
        )
    assert taken is not None and users is not None
    return Popularity.of(taken, int(users))
