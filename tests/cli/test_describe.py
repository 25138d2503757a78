"""`bakeoff data describe` of files of items and interactions, and of a configuration of both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from harness.cli.describing import described
from harness.errors import ConfigurationError
from tests.cli.conftest import Shell
from tests.unit.models.data.made import refusal, write


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path / "items.parquet", item_id=[1, 2, 3, 4], title=["a coat", "b coat", None, "c d coat"])
    write(tmp_path / "skus.parquet", sku=[1, 2, 3, 4], size=["S", "S", "M", "M"])
    write(
        tmp_path / "taken.parquet",
        user_id=["u", "u", "u", "v", "v", "v", "w"],
        item_id=[1, 2, 3, 2, 3, 4, 9],
        timestamp=[1_600_000_000 + 9 * row for row in range(7)],
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(ref: str) -> str:
    text = described(ref)
    assert text is not None
    return text


def refused(ref: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        described(ref)
    return refusal(caught)


def test_it_is_printed(folder: Path) -> None:
    shell = Shell(folder)
    done = shell("data", "describe", "items.parquet")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{told('items.parquet')}\n"
    assert done.stdout.startswith("items.parquet: 4 items, 2 columns\n")
    wrong = shell("data", "describe", "skus.parquet")
    assert wrong.returncode == 104
    assert (
        "error: skus.parquet: has no column 'item_id'; name the column of ids with items.id" in wrong.stderr
    )


def test_options_follow_a_colon(folder: Path) -> None:
    assert "  categories: [size]\n" not in told("skus.parquet:id=sku,texts=size")
    assert "categories: [size]" in told("skus.parquet:id=sku")
    assert refused("skus.parquet:id=sku,colour=size").startswith(
        "skus.parquet:id=sku,colour=size: colour is not a known key"
    )


def test_interactions_with_and_without_their_catalogue(folder: Path) -> None:
    alone = told("taken.parquet")
    assert "kept         7 interactions of 3 users" in alone
    assert alone.endswith("is not seen without the catalogue: taken.parquet:items=FILE")
    both = told("taken.parquet:items=items.parquet")
    assert "left out     1 rows of 1 items that are not in the catalogue (first in 9, row 6)" in both
    assert "without the catalogue" not in both
    named = told("taken.parquet:items=items.parquet,time=null")
    assert "split        leave-last-out: there are no times" in named
    assert "taken.parquet: has no column 'customer'" in refused("taken.parquet:user=customer")


def test_a_configuration_describes_both_files_as_it_says(folder: Path) -> None:
    data: dict[str, Any] = {
        "data": {"kind": "files", "items": "skus.parquet", "interactions": "taken.parquet"},
        "items": {"id": "sku", "leave_out": ["size"]},
        "split": {"kind": "leave-last-out"},
    }
    (folder / "model.yaml").write_text(yaml.safe_dump(data))
    text = told("model.yaml")
    assert "skus.parquet: 4 items, 2 columns" in text
    assert "named in items.leave_out" in text
    assert "left out     1 rows of 1 items that are not in the catalogue" in text
    assert "split        leave-last-out\n" in text
    (folder / "model.yaml").write_text(yaml.safe_dump({"data": {"kind": "marketplace"}}))
    assert refused("model.yaml").startswith("model.yaml: data.kind is marketplace; only files of your own")


def test_datasets_are_left_to_others(folder: Path) -> None:
    write(folder / "vectors.parquet", item_id=[1], user_id=[1], vector=pa.array([[1.0, 2.0]]))
    (folder / "own.yaml").write_text("kind: synthetic\n")
    for ref in ("vectors.parquet:metric=ip", "own.yaml", "synthetic", "no.parquet", str(folder)):
        assert described(ref) is None
