"""Files that cannot be learnt from: named, with what was left out of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import ConfigurationError
from harness.progress import silent
from models.training.config import TrainConfig
from models.training.job import prepare
from tests.unit.models.data.made import write


def problems(folder: Path, **changes: Any) -> list[str]:
    data = {"kind": "files", "items": "items.parquet", "interactions": "taken.parquet"}
    config = TrainConfig.model_validate({"name": "mine", "data": data, **changes})
    with pytest.raises(ConfigurationError) as caught:
        prepare(config, folder, silent)
    return [problem.replace(f"{folder}/", "") for problem in caught.value.problems]


def taken(folder: Path, *items: str) -> None:
    write(folder / "taken.parquet", user_id=["u"] * len(items), item_id=items, timestamp=range(len(items)))


def test_a_catalogue_of_one_item_is_named(tmp_path: Path) -> None:
    write(tmp_path / "items.parquet", item_id=["coat"])
    taken(tmp_path, "coat", "coat")
    assert problems(tmp_path) == [
        "items.parquet: holds one item only, 'coat' in row 0, and a model tells items apart; add others"
    ]


def test_too_few_interactions_are_named_with_what_was_left_out(tmp_path: Path) -> None:
    write(tmp_path / "items.parquet", item_id=["coat", "hat"])
    taken(tmp_path, "coat", "hat", "shoe", "sock", "shoe")
    for kind in ("auto", "leave-last-out"):
        found = problems(tmp_path, split={"kind": kind}, interactions={"unit": "s"})
        assert found[0].startswith(
            "taken.parquet: leave-last-out needs users with three distinct items or more"
        )
        assert found[1:] == [
            "taken.parquet: left out were 3 rows of 2 items that are not in the catalogue (first in 'shoe', row 2)"
        ]
