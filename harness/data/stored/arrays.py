"""Matrices on disk: written and hashed block by block, in bounded memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

BLOCK_BYTES = 16 << 20
# Lengths of vectors whose squares, and sums of squares, float32 holds: up to 2^50 with room to spare, down to the
# square root of its smallest normal number.
LONGEST, SHORTEST = 2.0**50, 2.0**-63


def block_rows(dim: int) -> int:
    """How many float32 rows make a block of bounded memory."""
    return max(1, BLOCK_BYTES // (4 * max(1, dim)))


def row_hashes(block: npt.NDArray[np.float32]) -> npt.NDArray[np.uint64]:
    """A hash of each row of float32[m, d]: uint64[m, 2], equal for equal rows (0.0 equals -0.0), and different for
    others but for a chance of at most 2^-66.
    """
    words = (np.ascontiguousarray(block) + np.float32(0)).view(np.uint32).astype(np.uint64)
    # Sums of words, each times a random number of its own: two words differ by 2^31 times an odd number at the most,
    # which leaves 33 bits to chance in each of the two sums, and commonly all 64.
    factors = np.random.default_rng(0).integers(2**64, size=(block.shape[1], 2), dtype=np.uint64)
    return words @ factors


def distinct_rows(hashes: npt.NDArray[np.uint64]) -> int:
    """How many different rows there are, by row_hashes of all of them."""
    ordered = hashes[np.lexsort(hashes.T)]
    return len(ordered) - int((ordered[1:] == ordered[:-1]).all(axis=1).sum())


def size(count: int) -> str:
    """A number of bytes, as messages show it."""
    return f"{count / 2**30:,.1f} GiB" if count >= 2**27 else f"{count / 2**20:,.1f} MiB"


@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array on disk: its file (relative to the dataset's folder, or absolute) and its content's digest."""

    path: str
    digest: str


class ArrayHasher:
    """Takes an array's rows block by block and hashes them; the array itself is at `path` already."""

    def __init__(self, path: str, rows: int, dim: int) -> None:
        self._path = path
        self._shape = (rows, dim)
        self._seen = 0
        self._hash = hashlib.sha256(f"<f4{self._shape}".encode())

    def append(self, block: npt.NDArray[np.float32]) -> None:
        """Takes the next rows: float32[m, dim]."""
        self._hash.update(np.ascontiguousarray(block, dtype="<f4").data)
        self._seen += len(block)

    def stored(self) -> StoredArray:
        """The finished array, to be given to `save`."""
        assert self._seen == self._shape[0], f"{self._seen} of {self._shape[0]} rows seen"
        return StoredArray(self._path, self._hash.hexdigest())


class ArrayWriter(ArrayHasher):
    """Writes them to a .npy file as well; a context manager.

    Plain writes, not a memory map: on a full disk a process with a map is killed by SIGBUS, while a write raises
    OSError; and a map's dirty pages count as resident memory.
    """

    def __init__(self, folder: Path, name: str, rows: int, dim: int) -> None:
        super().__init__(name, rows, dim)
        self._file = (folder / name).open("wb")
        header = {"descr": "<f4", "fortran_order": False, "shape": self._shape}
        np.lib.format.write_array_header_1_0(self._file, header)

    def __enter__(self) -> ArrayWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, block: npt.NDArray[np.float32]) -> None:
        """Adds the next rows: float32[m, dim]. Raises OSError on a full disk."""
        super().append(block)
        self._file.write(np.ascontiguousarray(block, dtype="<f4").data)
