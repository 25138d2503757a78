"""The items as they should be now: what was indexed, with every write since."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engines.base import Batch, Ids, Vectors
from engines.columns import Column
from harness.data.dataset import Dataset


@dataclass(slots=True)
class Items:
    """vectors: float32[n, d]; columns: of n rows each; alive: bool[n]. The dataset's own until the first write.

    version: how many writes there were; 0: as indexed.
    """

    vectors: Vectors
    columns: dict[str, Column]
    alive: npt.NDArray[np.bool_]
    version: int = 0
    _private: bool = field(default=False, repr=False)

    @classmethod
    def of(cls, dataset: Dataset) -> Items:
        """The items as indexed; nothing is copied."""
        columns = {entry.name: dataset.columns[entry.name] for entry in dataset.schema.fields}
        return cls(dataset.vectors, columns, np.ones(len(dataset.vectors), dtype=np.bool_))

    def batch(self, rows: Ids) -> Batch:
        """A copy of the present content of `rows`, as it is sent to an engine."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Batch(rows.copy(), np.array(self.vectors[rows]), columns)

    def replace(self, rows: Ids, donors: Ids) -> None:
        """Gives `rows` the vectors and attributes of `donors`."""
        self._before_write()
        self.vectors[rows] = self.vectors[donors]
        order = np.arange(len(self.vectors))
        order[rows] = donors
        self.columns = {name: column[order] for name, column in self.columns.items()}

    def move(self, row: int, vector: Vectors) -> None:
        """Gives an item another vector; it is alive afterwards."""
        self._before_write()
        self.vectors[row] = vector
        self.alive[row] = True

    def delete(self, rows: Ids) -> None:
        """Marks items as deleted."""
        self._before_write()
        self.alive[rows] = False

    def _before_write(self) -> None:
        """Changes go to a copy, since others use the dataset too.

        Of vectors mapped from a file only the pages that are written take memory.
        """
        self.version += 1
        if not self._private:
            self.vectors = _private_copy(self.vectors)
            self._private = True


def _private_copy(matrix: Vectors) -> Vectors:
    base: np.ndarray = matrix
    while isinstance(base.base, np.ndarray):
        base = base.base
    if not isinstance(base, np.memmap) or base.filename is None or base.ctypes.data != matrix.ctypes.data:
        return matrix.copy()
    shape = (matrix.shape[0], matrix.shape[1])
    return np.memmap(base.filename, matrix.dtype, "c", base.offset, shape)
