"""Made-up models in folders, as training leaves them, and files to encode."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.data.identity import ModelIdentity
from models.data.interactions import ItemLists
from models.data.items import Items
from models.data.split import Cases
from models.encoding.encoder import Encoder
from models.encoding.model import FORMAT, KIND, MODEL, Model
from models.evaluation.popularity import Popularity
from models.features.stored import write_values
from models.publishing.writing import write_dataset
from models.training.config import TrainConfig
from tests.unit.models.encoding.made import encoder
from tests.unit.models.features.catalogues import catalogue

FILES = {"kind": "files", "items": "items.parquet", "interactions": "interactions.parquet"}


def write_model(folder: Path, made: Encoder | None = None, **configuration: Any) -> Path:
    """A model with random weights for the columns of `catalogue`."""
    made = made or encoder()
    made.save(folder)
    config = TrainConfig.model_validate({"name": "made", "data": FILES} | configuration)
    identity = ModelIdentity(config.name, config.version, made.content_hash())
    values = {
        "kind": KIND,
        "format": FORMAT,
        **asdict(identity),
        "dim": made.weights.dim,
        "configuration": config.model_dump(mode="json"),
        "epochs": [],
    }
    write_values(folder / MODEL, values)
    return folder


def publish(model: Model, items: Items) -> None:
    """The listings of `items` as the dataset in a model's folder, with one user as a query."""
    encoded = model.encoder.listings(items)
    cases = Cases(np.zeros(1, np.int32), ItemLists.of([[0]]), ItemLists.of([[1]]))
    write_dataset(
        model.folder / "dataset",
        items,
        model.encoder.indexed(encoded.vectors, encoded.ids),
        cases,
        model.encoder.queries(encoded.vectors[:1]),
        user_ids=np.array(["someone"], object),
        identity=model.identity,
        popularity=Popularity.of(np.ones(len(items), np.int64), 1),
    )


def listing_columns(items: Items | None = None) -> dict[str, Any]:
    """The columns of a file of listings, missing values null."""
    items = catalogue() if items is None else items
    columns: dict[str, Any] = {"item_id": items.ids.tolist()}
    columns |= {name: column.decode() for name, column in items.categories.items()}
    columns |= {name: pa.array(values, mask=np.isnan(values)) for name, values in items.numbers.items()}
    return columns | {
        name: pa.array([value or None for value in values], pa.string())
        for name, values in items.texts.items()
    }


def listing_file(path: Path, **changes: Any) -> Path:
    """The listings of `catalogue` as a file; a change that is None takes the column out."""
    columns = {name: column for name, column in (listing_columns() | changes).items() if column is not None}
    pq.write_table(pa.table(columns), path)
    return path


def first(rows: int) -> dict[str, Any]:
    """The columns of the first listings of `catalogue` only."""
    return listing_columns(catalogue().take(slice(0, rows)))
