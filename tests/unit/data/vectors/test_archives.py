"""Arrays in .npz files: which of them, and what is wrong with it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.data.stored import arrays
from harness.data.user.vectors.opening import open_matrix
from tests.unit.data.user_data import DIM, ROWS, VECTORS
from tests.unit.data.vectors.read import refused, rows_of


def write(path: Path, compressed: bool = False, **held: Any) -> Path:
    (np.savez_compressed if compressed else np.savez)(path, **held)
    return path


def with_header(path: Path, header: str, data: bytes = b"") -> Path:
    """An archive of one array that says what it likes."""
    file = io.BytesIO()
    np.lib.format.write_array(file, VECTORS)
    text = header.ljust(117).encode() + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vectors.npy", file.getvalue()[:10] + text + data)
    return path


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("kind", ["f4", "f8", ">f4", "i1", "u1", "?"])
def test_an_array_is_read_through_its_compression(
    compressed: bool, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 7 * 4 * DIM)
    values = np.abs(VECTORS * 20).astype(kind)
    matrix = open_matrix([write(tmp_path / "x.npz", compressed, v=values)])
    np.testing.assert_array_equal(rows_of(matrix), values.astype(np.float32))
    kinds = {"i1": "are int8", "u1": "are uint8", "?": "are booleans"}
    assert matrix.note.partition(",")[0] == kinds.get(kind, "")


@pytest.mark.parametrize(
    ("file", "held", "chosen"),
    [
        ("x.npz", ["anything"], "anything"),
        ("x.npz", ["arr_0"], "arr_0"),
        ("x.npz", ["labels", "train"], "train"),
        ("vectors.npz", ["queries", "vectors"], "vectors"),
        ("queries.npz", ["queries", "vectors"], "queries"),
        ("x.npz", ["vectors", "other"], "vectors"),
    ],
)
def test_which_array_it_is(file: str, held: list[str], chosen: str, tmp_path: Path) -> None:
    path = write(tmp_path / file, **{name: VECTORS + number for number, name in enumerate(held)})
    matrix = open_matrix([path])
    assert matrix.column == chosen
    others = ", ".join(name for name in held if name != chosen)
    assert matrix.unused == (others and f"{others} of {file}")
    np.testing.assert_array_equal(rows_of(matrix), VECTORS + held.index(chosen))
    assert open_matrix([path], held[0]).column == held[0]


@pytest.mark.parametrize("held", [["a", "b"], ["train", "test"], ["arr_0", "vectors"]])
def test_which_of_several_is_asked(held: list[str], tmp_path: Path) -> None:
    path = write(tmp_path / "x.npz", **dict.fromkeys(held, VECTORS))
    listed = ", ".join(held)
    assert refused(path) == [
        f"x.npz: holds several arrays ({listed}); call that of the vectors 'x', or name it, as in "
        f"':vectors={held[0]}'"
    ]
    assert refused(path, column="c") == [f"x.npz: holds no array 'c'; these it holds: {listed}"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (VECTORS[0], "'v': must have 2 dimensions"),
        (VECTORS[:0], "'v': is empty"),
        (VECTORS.astype(int), "'v': must be float32, float64, float16, int8, uint8 or boolean, is int64"),
        (np.array([[{}]], dtype=object), "'v': must be float32"),
        (np.asfortranarray(VECTORS), "'v': is stored column by column; save numpy.ascontiguousarray of it"),
    ],
)
def test_arrays_that_cannot_be_vectors(values: Any, told: str, tmp_path: Path) -> None:
    (problem,) = refused(write(tmp_path / "x.npz", v=values))
    assert problem.startswith(f"x.npz: {told}")


@pytest.mark.parametrize("size", [0, 3, 60, 300, -1])
def test_archives_that_are_cut_off(size: int, tmp_path: Path) -> None:
    path = write(tmp_path / "x.npz", v=VECTORS)
    path.write_bytes(path.read_bytes()[:size])
    (problem,) = refused(path)
    assert problem.startswith("x.npz: is no intact .npz file of numbers")


@pytest.mark.parametrize("compressed", [True, False])
def test_a_changed_byte_is_noticed(compressed: bool, tmp_path: Path) -> None:
    values = np.random.default_rng(2).standard_normal(
        (20_000, DIM), dtype=np.float32
    )  # more than is read at first
    path = write(tmp_path / "x.npz", compressed, v=values)
    content = bytearray(path.read_bytes())
    content[-400] ^= 1
    path.write_bytes(content)
    (problem,) = refused(path)
    assert problem.startswith("x.npz: 'v': is damaged (")


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("(" * 117, "is no intact .npz file"),
        (f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({10**9}, {DIM})}}", "is damaged (it ends after 40 of"),
        (f"{{'descr': '<f4', 'fortran_order': False, 'shape': (2, {10**12})}}", "is damaged (it ends after 0 of"),
    ],
)  # fmt: skip
def test_a_header_that_lies_takes_no_memory(header: str, told: str, tmp_path: Path) -> None:
    (problem,) = refused(with_header(tmp_path / "x.npz", header, VECTORS.tobytes()))
    assert problem.startswith("x.npz: ") and told in problem
    shape = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({ROWS}, {DIM})}}"
    intact = with_header(tmp_path / "x.npz", shape, VECTORS.tobytes())
    np.testing.assert_array_equal(rows_of(open_matrix([intact])), VECTORS)


def test_an_archive_without_arrays(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert refused(tmp_path / "x.npz") == ["x.npz: holds no array; write it with numpy.savez"]
