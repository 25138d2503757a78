"""`bakeoff data describe` of two million rows in 20 Parquet files, beside what reading them takes alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.perf.table import show

FILES, ROWS, DIM, BRANDS, REPEATED = 20, 2_000_000, 32, 1_000, 50
_READ = "import sys, pyarrow.parquet as pq; [pq.read_table(path) for path in sys.argv[1:]]"


def figures(rows: int = ROWS) -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit; reference: pyarrow reads the files, one after the other."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "items"
        folder.mkdir()
        files = write_files(folder, rows)
        ours = _run("-m", "harness.cli", "data", "describe", f"{folder}:metric=l2", cache=f"{place}/cache")
        reference = _run("-c", _READ, *map(str, files), cache=place)
    return [
        {
            "name": f"describing {rows:,} rows of {DIM} dimensions in {FILES} files: {what}",
            "ours": one,
            "reference": other,
            "ratio": one / other,
            "unit": unit,
        }
        for what, one, other, unit in zip(("time", "peak memory"), ours, reference, ("s", "MiB"), strict=True)
    ]


def write_files(folder: Path, rows: int) -> list[Path]:
    """FILES equally long files with ids, vectors, a keyword and an integer; of each, the first REPEATED vectors are
    those of the file before.
    """
    rng, count, files = np.random.default_rng(0), rows // FILES, []
    brands = np.array([f"brand-{number}" for number in range(BRANDS)])
    vectors = rng.standard_normal((count, DIM), dtype=np.float32)
    for number in range(FILES):
        before, vectors = vectors, rng.standard_normal((count, DIM), dtype=np.float32)
        if number:
            vectors[:REPEATED] = before[:REPEATED]
        lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIM)
        columns = {
            "id": [f"sku-{number * count + row:08d}" for row in range(count)],
            "vector": lists.cast(pa.list_(pa.float32())),
            "brand": brands[rng.integers(BRANDS, size=count)],
            "price": rng.integers(100_000, size=count),
        }
        files.append(folder / f"part-{number:04d}.parquet")
        pq.write_table(pa.table(columns), files[-1])
    return files


def _run(*arguments: str, cache: str) -> tuple[float, float]:
    """Seconds, and MiB at the peak, of a Python process."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, env=os.environ | {"BAKEOFF_CACHE": cache}
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    return time.perf_counter() - start, used.ru_maxrss / 1024


if __name__ == "__main__":
    show(figures())
