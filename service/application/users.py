"""Users who are known by id: those that a model was published with, as examples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from models.encoding.model import DATASET
from service.retrieval.values import Taken, User

_FILE = "users.parquet"


def published_users(folder: Path | None) -> Mapping[str, User]:
    """The held-out users in a model's folder with what they took before; none without one."""
    path = None if folder is None else folder / DATASET / _FILE
    if path is None or not path.is_file():
        return {}
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["user", "history"])
    return {
        str(user): User(tuple(Taken(str(one)) for one in history or ()))
        for user, history in zip(*(column.to_pylist() for column in table.columns), strict=True)
    }
