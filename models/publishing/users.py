"""Who asked which query: the users beside a dataset, for whoever judges answers by what they took next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness.data.user.tables.parquet_files import open_parquet
from harness.errors import ConfigurationError
from models.data.interactions import ItemLists
from models.data.items import Items
from models.data.split import Cases

if TYPE_CHECKING:
    import pyarrow as pa

USERS = "users.parquet"
_COLUMNS = ("query", "user", "history", "targets", "asked_ms")


@dataclass(frozen=True, slots=True)
class QueryUsers:
    """The users of q queries, in the order of the queries.

    ids: object[q], their own. histories, targets: rows of the dataset's items. elsewhere: how many items of histories
    and of targets are not among them (sold by then, say), and so are not here. asked_ms: int64[q] or None.
    """

    ids: npt.NDArray[np.object_]
    histories: ItemLists
    targets: ItemLists
    elsewhere: Mapping[str, int]
    asked_ms: npt.NDArray[np.int64] | None = None


def users_table(cases: Cases, items: Items, user_ids: npt.NDArray[np.object_]) -> pa.Table:
    """One row a case: the query's row, the user's id, the ids of history and targets.

    items: the catalogue whose rows the cases name. user_ids: object[u], whose rows they name.
    """
    import pyarrow as pa

    asked = (
        pa.nulls(len(cases), pa.int64()) if cases.asked_ms is None else pa.array(cases.asked_ms, pa.int64())
    )
    columns = (
        pa.array(np.arange(len(cases)), pa.int32()),
        pa.array(user_ids[cases.users].tolist()),
        _ids(cases.histories, items),
        _ids(cases.targets, items),
        asked,
    )
    return pa.table(dict(zip(_COLUMNS, columns, strict=True)))


def _ids(lists: ItemLists, items: Items) -> pa.Array:
    import pyarrow as pa

    kind = pa.string() if len(items) and isinstance(items.ids[0], str) else pa.int64()
    return pa.LargeListArray.from_arrays(
        pa.array(lists.starts, pa.int64()), pa.array(items.ids[lists.items].tolist(), kind)
    )


def read_users(folder: Path, item_ids: npt.NDArray[np.object_]) -> QueryUsers:
    """The users beside a dataset; item_ids: object[n], of its items by row (`Dataset.ids`).

    Raises ConfigurationError where the file is missing, damaged or of another form.
    """
    path = folder / USERS
    if not path.exists():
        raise ConfigurationError(
            f"{path}: is missing; only a dataset that a model was trained for says who asked its queries"
        )
    with open_parquet(path) as file:
        if tuple(file.schema_arrow.names) != _COLUMNS:
            raise ConfigurationError(
                f"{path}: must have the columns {', '.join(_COLUMNS)}, has {', '.join(file.schema_arrow.names)}; "
                "write the dataset again"
            )
        held = file.read()
    if held.column("query").to_pylist() != list(range(held.num_rows)):
        raise ConfigurationError(
            f"{path}: column 'query' does not count 0, 1, 2 ...; write the dataset again"
        )
    row_of: dict[Any, int] = {one: row for row, one in enumerate(item_ids.tolist())}
    histories, targets = (_rows(held.column(name), row_of) for name in ("history", "targets"))
    ids = np.empty(held.num_rows, object)
    ids[:] = held.column("user").to_pylist()
    asked = held.column("asked_ms")
    return QueryUsers(
        ids,
        histories[0],
        targets[0],
        {"history": histories[1], "targets": targets[1]},
        None if asked.null_count else np.asarray(asked.to_numpy()),
    )


def _rows(column: pa.ChunkedArray, row_of: Mapping[Any, int]) -> tuple[ItemLists, int]:
    """The lists as rows, and how many of their items have none."""
    lists: list[list[Any]] = column.to_pylist()
    rows = [[row_of[one] for one in held if one in row_of] for held in lists]
    return ItemLists.of(rows), sum(map(len, lists)) - sum(map(len, rows))
