"""Files of vectors with a few changed bytes: told with their name, or read as other values; never a traceback."""

from __future__ import annotations

import random
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.data.user.vectors.opening import open_matrix
from harness.data.user.vectors.transfer import transfer
from harness.errors import ConfigurationError
from harness.progress import silent
from tests.unit.data.test_damaged_files import EXAMPLES
from tests.unit.data.user_data import DIM, ROWS, VECTORS


def write(path: Path) -> Path:
    if path.suffix == ".npz":
        np.savez_compressed(path, VECTORS)
    elif path.suffix == ".fvecs":
        path.write_bytes(b"".join(struct.pack("<i", DIM) + row.tobytes() for row in VECTORS))
    elif path.suffix == ".fbin":
        path.write_bytes(struct.pack("<II", ROWS, DIM) + VECTORS.tobytes())
    else:
        values = [str(row) for row in VECTORS.tolist()] if path.stem == "json" else (VECTORS > 0).tolist()
        pq.write_table(pa.table({"v": values, "n": range(ROWS)}), path, compression="none")
    return path


@pytest.mark.parametrize("name", ["x.npz", "x.fvecs", "x.fbin", "json.parquet", "booleans.parquet"])
def test_a_few_changed_bytes_are_told_or_make_other_values(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name)
    intact, rng, outcomes = path.read_bytes(), random.Random(5), Counter[str]()
    for number in range(EXAMPLES):
        data = bytearray(intact)
        for _ in range(rng.choice((1, 3, 20))):
            data[rng.randrange(8 if number % 4 == 0 else len(data))] = rng.choice(
                (rng.randrange(256), *b"()[]{}',:0-")
            )
        path.write_bytes(data)
        try:
            problems = transfer(open_matrix([path]), "l2", [], silent)
        except ConfigurationError as error:
            problems = error.problems
        assert all(problem.startswith(str(path)) for problem in problems), problems
        outcomes["refused" if problems else "read"] += 1
    assert outcomes["refused"] >= EXAMPLES // 8, outcomes
