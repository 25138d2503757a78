"""fvecs, bvecs and ivecs; fbin, u8bin, i8bin and ibin: written byte by byte as their formats say."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from harness.data.stored import arrays
from harness.data.user.vectors.opening import open_matrix
from tests.unit.data.vectors.read import refused, rows_of

ROWS, DIM = 40, 5
NUMBERS = {
    ".fvecs": "<f4",
    ".bvecs": "u1",
    ".ivecs": "<i4",
    ".fbin": "<f4",
    ".u8bin": "u1",
    ".i8bin": "i1",
    ".ibin": "<i4",
}
VECS, BIN = list(NUMBERS)[:3], list(NUMBERS)[3:]
NOTES = {"<f4": "", "u1": "are uint8", "i1": "are int8", "<i4": "are int32"}


def values(suffix: str) -> np.ndarray:
    low = 0 if NUMBERS[suffix] == "u1" else -128
    return np.random.default_rng(1).uniform(low, 127, (ROWS, DIM)).astype(NUMBERS[suffix])


def write(folder: Path, suffix: str) -> Path:
    rows, path = values(suffix), folder / f"vectors{suffix}"
    if suffix in VECS:
        path.write_bytes(b"".join(struct.pack("<i", DIM) + row.tobytes() for row in rows))
    else:
        path.write_bytes(struct.pack("<II", ROWS, DIM) + rows.tobytes())
    return path


def patch(path: Path, at: int, number: int) -> None:
    """Overwrites four bytes."""
    content = bytearray(path.read_bytes())
    content[at : at + 4] = struct.pack("<I", number)
    path.write_bytes(content)


@pytest.mark.parametrize("suffix", NUMBERS)
@pytest.mark.parametrize("block_bytes", [arrays.BLOCK_BYTES, 7 * 4 * DIM])
def test_every_row_is_read(
    suffix: str, block_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "BLOCK_BYTES", block_bytes)
    matrix = open_matrix([write(tmp_path, suffix)])
    assert (matrix.rows, matrix.dim) == (ROWS, DIM)
    np.testing.assert_array_equal(rows_of(matrix), values(suffix).astype(np.float32))
    note = NOTES[NUMBERS[suffix]]
    assert matrix.note == (note and f"{note}, converted to float32")


@pytest.mark.parametrize("suffix", VECS)
@pytest.mark.parametrize(
    ("size", "told"),
    [
        (0, "is empty"),
        (3, "is cut off"),
        (4, "says that row 0 has 5 dimensions, which a {suffix} file of 4 bytes cannot"),
        (-1, "ends within row 39, after"),
    ],
)
def test_rows_that_are_cut_off(suffix: str, size: int, told: str, tmp_path: Path) -> None:
    path = write(tmp_path, suffix)
    path.write_bytes(path.read_bytes()[:size])
    (problem,) = refused(path)
    assert problem.startswith(f"vectors{suffix}: {told.format(suffix=suffix)}")


@pytest.mark.parametrize("suffix", VECS)
@pytest.mark.parametrize("number", [0, 2**31, 2**31 - 1, DIM << 24, ROWS * DIM * 4])
def test_a_first_dimension_that_lies(suffix: str, number: int, tmp_path: Path) -> None:
    path = write(tmp_path, suffix)
    patch(path, 0, number)
    tracemalloc.start()
    (problem,) = refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem.startswith(f"vectors{suffix}: says that row 0 has ") and "each row must be" in problem
    assert peak < 1 << 20


@pytest.mark.parametrize("suffix", VECS)
@pytest.mark.parametrize("cut", [0, 3])
def test_a_row_of_another_length_is_named_also_where_the_size_does_not_fit(
    suffix: str, cut: int, tmp_path: Path
) -> None:
    path = write(tmp_path, suffix)
    patch(path, 17 * (4 + DIM * np.dtype(NUMBERS[suffix]).itemsize), 6)
    path.write_bytes(path.read_bytes()[: -cut or None])
    (problem,) = refused(path)
    assert problem == (
        f"vectors{suffix}: row 17 has 6 dimensions, but row 0 has 5; every row needs a vector of one length"
    )


@pytest.mark.parametrize("suffix", BIN)
@pytest.mark.parametrize(
    ("rows", "dim"), [(ROWS + 1, DIM), (ROWS - 1, DIM), (2**32 - 1, 2**32 - 1), (ROWS, 0), (0, 0)]
)
def test_a_header_that_lies(suffix: str, rows: int, dim: int, tmp_path: Path) -> None:
    path = write(tmp_path, suffix)
    patch(path, 0, rows)
    patch(path, 4, dim)
    tracemalloc.start()
    (problem,) = refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem.startswith(f"vectors{suffix}: says that it holds {rows:,} rows of {dim:,} numbers")
    assert f"but it has {path.stat().st_size:,}; copy it again" in problem
    assert peak < 1 << 20


@pytest.mark.parametrize("suffix", BIN)
def test_no_rows_and_no_header(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path, suffix)
    for content, told in (
        (b"", "is empty"),
        (b"1234567", "is cut off"),
        (struct.pack("<II", 0, DIM), "is empty, it holds 0 rows of 5 numbers"),
    ):
        path.write_bytes(content)
        (problem,) = refused(path)
        assert problem.startswith(f"vectors{suffix}: {told}")


@pytest.mark.parametrize(
    ("suffix", "right"), [(".fbin", ".u8bin"), (".i8bin", ".ibin"), (".fvecs", ".bvecs")]
)
def test_numbers_of_another_width(suffix: str, right: str, tmp_path: Path) -> None:
    path = write(tmp_path, right).rename(tmp_path / f"vectors{suffix}")
    (problem,) = refused(path)
    assert problem.startswith(f"vectors{suffix}: ")


@pytest.mark.parametrize("suffix", [".ivecs", ".ibin"])
def test_integers_that_float32_does_not_hold(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path, suffix)
    first = 4 if suffix == ".ivecs" else 8
    patch(path, first + 8, 2**24)
    assert rows_of(open_matrix([path]))[0, 2] == 2**24
    patch(path, first + 8, 2**24 + 1)
    (problem,) = refused(path)
    assert problem.startswith(
        f"vectors{suffix}: row 0 column 2 is 16777217, and float32 holds integers up to 2^24"
    )
