"""A simulated marketplace as files, in the format in which real ones are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness.errors import DatasetError, unwritable
from models.data.items import MISSING, Categories
from models.data.marketplace.market import Market

if TYPE_CHECKING:
    import pyarrow as pa

_MARK = b"simulated"


def write_marketplace(folder: Path, market: Market) -> None:
    """Writes `items.parquet`, `interactions.parquet` and `marketplace.json` into `folder`, which is made.

    items: item_id, the categories, price, title, description and listed_at; null where missing. interactions: user_id,
    item_id, timestamp, event and weight. Times are UTC, in milliseconds. Both files say that they are simulated in
    their metadata (key `simulated`), and so does the JSON, which has the options and counts: the same options give the
    same market again, with its truth. A file appears whole or not at all. Raises DatasetError.
    """
    import pyarrow.parquet as pq

    mark = {_MARK: market.description.encode()}
    items = _items_table(market).replace_schema_metadata(mark)
    interactions = _interactions_table(market).replace_schema_metadata(mark)
    about = {
        "simulated": True,
        "description": market.description,
        "options": market.options.model_dump(mode="json"),
        "counts": dict(market.counts),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{folder}: {unwritable(error)}") from error
    _write(folder / "items.parquet", lambda path: pq.write_table(items, path))
    _write(folder / "interactions.parquet", lambda path: pq.write_table(interactions, path))
    _write(folder / "marketplace.json", lambda path: path.write_text(json.dumps(about, indent=2) + "\n"))


def _write(path: Path, write: Callable[[Path], Any]) -> None:
    partial = path.with_name(f"{path.name}.partial")
    try:
        write(partial)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise DatasetError(f"{path}: {unwritable(error)}") from error


def _items_table(market: Market) -> pa.Table:
    import pyarrow as pa

    items = market.items
    assert items.listed_ms is not None
    columns: dict[str, pa.Array] = {"item_id": pa.array(items.ids, pa.string())}
    columns |= {name: _words(column) for name, column in items.categories.items()}
    columns |= {name: pa.array(column) for name, column in items.numbers.items()}
    columns |= {
        name: pa.array(column, pa.string(), mask=column == "") for name, column in items.texts.items()
    }
    return pa.table(columns | {"listed_at": _times(items.listed_ms)})


def _interactions_table(market: Market) -> pa.Table:
    import pyarrow as pa

    taken = market.interactions
    assert taken.times_ms is not None
    return pa.table(
        {
            "user_id": pa.array(taken.user_ids, pa.string()).take(pa.array(taken.users)),
            "item_id": pa.array(market.items.ids, pa.string()).take(pa.array(taken.items)),
            "timestamp": _times(taken.times_ms),
            "event": _words(market.events),
            "weight": pa.array(taken.weights),
        }
    )


def _words(column: Categories) -> pa.Array:
    import pyarrow as pa

    codes = pa.array(column.codes, mask=column.codes == MISSING)
    return pa.array(column.words, pa.string()).take(codes)


def _times(times_ms: npt.NDArray[np.int64]) -> pa.Array:
    import pyarrow as pa

    return pa.array(times_ms).cast(pa.timestamp("ms", tz="UTC"))
