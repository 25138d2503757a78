"""Vectors as a Parquet file that says which model made them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from harness.data.identity import ModelIdentity
from harness.data.manifest import ModelManifest
from harness.data.user.mark import METADATA, VectorMark
from harness.errors import ConfigurationError, MeasurementError, unwritable
from models.features.features import Float32

VECTOR = "vector"


def require_new(path: Path) -> None:
    """Raises ConfigurationError where something is there: vectors of different models must not mix in one file."""
    if path.exists():
        raise ConfigurationError(
            f"{path}: exists already, and vectors are never added to a file; remove it, or name another with --out"
        )


def write_vectors(
    path: Path,
    of: Literal["listings", "users"],
    ids: tuple[str, npt.NDArray[np.object_]],
    vectors: Float32,
    *,
    identity: ModelIdentity,
    others: Mapping[str, npt.NDArray[Any]] | None = None,
) -> None:
    """Writes a row for each of n vectors, whole or not at all.

    ids: the name of their column, and object[n]. vectors: float32[n, d], the column `vector`. others: more columns. The
    metadata of the file's schema say, as JSON under `bakeoff`, what the vectors are of and by which model. Raises
    ConfigurationError where the file is there already, MeasurementError where it cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    require_new(path)
    name, values = ids
    kind = pa.string() if len(values) and isinstance(values[0], str) else pa.int64()
    flat = pa.array(np.ascontiguousarray(vectors).reshape(-1), pa.float32())
    columns = {
        name: pa.array(values.tolist(), kind),
        VECTOR: pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
        **{other: pa.array(column) for other, column in (others or {}).items()},
    }
    about = VectorMark(of=of, id=name, model=ModelManifest(**asdict(identity)))
    table = pa.table(columns).replace_schema_metadata({METADATA: about.model_dump_json().encode()})
    partial = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, partial)
        partial.replace(path)
    except OSError as error:
        raise MeasurementError(f"{path}: {unwritable(error)}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
