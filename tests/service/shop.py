"""A small catalogue as a team's own data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DIM, ROWS = 8, 300
BRANDS = ("Zara", "H&M", "Arket", "COS")
COLOURS: tuple[list[str] | None, ...] = (["red"], ["red", "blue"], [], None, ["blue"])  # tags
SIZES = (38, None, 40)
SETTINGS = """
deadline_ms: 5000
retrieval: {relax: [price, brand], a_seller: 3, late_s: 2, rerank: {price: price}}
admission: {target_s: 2}
catalogue: {seller: seller, brand: brand, fill: {new: false}, details: [seller], required: [title]}
limits: {body_bytes: 20000, bulk_bytes: 200000, bulk_lines: 50, k: 100, history: 30, conditions: 20, values: 50}
"""


def vectors() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(0).standard_normal((ROWS, DIM)).astype(np.float32)


def write(folder: Path) -> Path:
    """The data as a folder, with the settings beside it."""
    data = folder / "shop"
    data.mkdir()
    rng = np.random.default_rng(1)
    np.save(data / "vectors.npy", vectors())
    np.save(data / "queries.npy", vectors()[:5])
    columns = {
        "id": [f"listing/{row}" for row in range(ROWS)],
        "brand": [BRANDS[row % len(BRANDS)] for row in range(ROWS)],
        "price": rng.uniform(1, 100, ROWS).round(2),
        "stock": rng.integers(0, 5, ROWS),
        "new": rng.random(ROWS) < 0.5,
        "colours": [COLOURS[row % len(COLOURS)] for row in range(ROWS)],
        "size": [SIZES[row % len(SIZES)] for row in range(ROWS)],
        "title": [f"{BRANDS[row % len(BRANDS)]} shirt no {row}" for row in range(ROWS)],
    }
    pq.write_table(pa.table(columns), data / "attributes.parquet")
    (data / "dataset.yaml").write_text("metric: cosine\nid: id\ntext: [title]\n")
    (folder / "service.yaml").write_text(SETTINGS)
    return data


def document(**changes: object) -> dict[str, object]:
    """A listing as a caller writes it; a change that is None is left out."""
    whole: dict[str, object] = {
        "brand": "COS",
        "price": 12.5,
        "stock": 1,
        "new": True,
        "title": "A linen shirt",
        "seller": "anna",
        "vector": [1.0] + [0.0] * (DIM - 1),
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}
