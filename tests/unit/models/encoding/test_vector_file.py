"""Vectors as a Parquet file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.data.identity import ModelIdentity
from harness.errors import ConfigurationError, MeasurementError
from models.encoding.files.vector_file import write_vectors

IDENTITY = ModelIdentity("tower", "3", "0123456789abcdef" * 4)
VECTORS = np.arange(6, dtype=np.float32).reshape(3, 2)


def _ids(*values: object) -> np.ndarray:
    ids = np.empty(len(values), object)
    ids[:] = values
    return ids


def test_a_file_says_which_model_its_vectors_are_by(tmp_path: Path) -> None:
    path = tmp_path / "new" / "vectors.parquet"
    counts = np.array([1, 0, 2], np.int32)
    write_vectors(
        path, "users", ("who", _ids("a", "b", "ü")), VECTORS, identity=IDENTITY, others={"history": counts}
    )
    table = pq.read_table(path)
    assert table.column_names == ["who", "vector", "history"]
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 2)
    assert table.column("who").to_pylist() == ["a", "b", "ü"]
    assert table.column("history").to_pylist() == [1, 0, 2]
    np.testing.assert_array_equal(np.stack(table.column("vector").to_numpy()), VECTORS)
    about = json.loads(table.schema.metadata[b"bakeoff"])
    assert about == {
        "kind": "bakeoff-vectors",
        "of": "users",
        "id": "who",
        "metric": "cosine",
        "model": {"name": "tower", "version": "3", "hash": IDENTITY.hash},
    }
    assert list(path.parent.iterdir()) == [path]


def test_whole_numbers_stay_ids(tmp_path: Path) -> None:
    path = tmp_path / "vectors.parquet"
    write_vectors(path, "listings", ("item_id", _ids(3, 1, 2**62)), VECTORS, identity=IDENTITY)
    assert pq.read_table(path).column("item_id").to_pylist() == [3, 1, 2**62]


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "vectors.parquet"
    write_vectors(path, "listings", ("item_id", _ids(1, 2, 3)), VECTORS, identity=IDENTITY)
    before = path.read_bytes()
    with pytest.raises(
        ConfigurationError, match="exists already, and vectors are never added to a file; remove it"
    ):
        write_vectors(path, "listings", ("item_id", _ids(4, 5, 6)), VECTORS, identity=IDENTITY)
    assert path.read_bytes() == before


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MeasurementError, match="cannot be written"):
        write_vectors(
            tmp_path / "file" / "v.parquet",
            "listings",
            ("item_id", _ids(1, 2, 3)),
            VECTORS,
            identity=IDENTITY,
        )


def test_half_a_file_is_never_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(table: pa.Table, path: Path) -> None:
        path.write_bytes(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(MeasurementError, match="free some space"):
        write_vectors(
            tmp_path / "v.parquet", "listings", ("item_id", _ids(1, 2, 3)), VECTORS, identity=IDENTITY
        )
    assert list(tmp_path.iterdir()) == []
