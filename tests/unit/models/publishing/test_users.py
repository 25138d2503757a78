"""Who asked which query: written beside the dataset, and read back as rows of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import ConfigurationError
from models.publishing.users import USERS, read_users
from tests.unit.models.publishing.shop import Shop, among, shop


def read(whole: Shop, folder: Path, kept: np.ndarray | None = None, **options: int) -> object:
    whole.write(folder, **options)
    ids = whole.items.ids if kept is None else whole.items.ids[kept]
    return read_users(folder, ids)


def test_users_come_back_in_the_order_of_the_queries(tmp_path: Path) -> None:
    whole = shop()
    whole = replace(whole, cases=replace(whole.cases, asked_ms=np.arange(12) * 5))
    whole.write(tmp_path / "data")
    users = read_users(tmp_path / "data", whole.items.ids)
    assert users.ids.tolist() == whole.user_ids[whole.cases.users].tolist()
    for found, given in ((users.histories, whole.cases.histories), (users.targets, whole.cases.targets)):
        np.testing.assert_array_equal(found.starts, given.starts)
        np.testing.assert_array_equal(found.items, given.items)
    assert users.elsewhere == {"history": 0, "targets": 0}
    assert users.asked_ms is not None and users.asked_ms.tolist() == [5 * row for row in range(12)]


def test_what_is_not_sold_any_more_is_counted(tmp_path: Path) -> None:
    whole, kept = shop(), np.arange(0, 60, 2)
    among(whole, kept).write(tmp_path / "data")
    users = read_users(tmp_path / "data", whole.items.ids[kept])
    odd = int((whole.cases.histories.items % 2).sum()), int((whole.cases.targets.items % 2).sum())
    assert (users.elsewhere["history"], users.elsewhere["targets"]) == odd
    assert min(odd) > 0
    back = kept[users.histories.items]
    assert back.tolist() == [row for row in whole.cases.histories.items.tolist() if row % 2 == 0]
    assert users.asked_ms is None


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    whole = shop()
    with pytest.raises(ConfigurationError, match=r"users.parquet: is missing"):
        read_users(tmp_path, whole.items.ids)
    pq.write_table(pa.table({"query": [0], "who": ["x"]}), tmp_path / USERS)
    with pytest.raises(
        ConfigurationError, match="must have the columns query, user, history, targets, asked_ms"
    ):
        read_users(tmp_path, whole.items.ids)
    whole.write(tmp_path / "data")
    held = pq.read_table(tmp_path / "data" / USERS)
    pq.write_table(held.slice(1), tmp_path / USERS)
    with pytest.raises(ConfigurationError, match="column 'query' does not count 0, 1, 2"):
        read_users(tmp_path, whole.items.ids)
