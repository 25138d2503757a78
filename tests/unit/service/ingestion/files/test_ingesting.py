"""Files are taken once, and from where they were left."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.progress import silent
from service.ingestion.files import ndjson
from service.ingestion.files.ingesting import ingest
from service.ingestion.files.ndjson import NdjsonFile
from service.ingestion.files.parquet import ParquetFile
from service.ingestion.files.progress import ProgressNotes
from tests.unit.service.ingestion.files.test_parquet import damaged
from tests.unit.service.ingestion.shop import Shop, document

ROWS = 10


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "AT_ONCE", 3)


def written(folder: Path, price: float = 1.0, rows: int = ROWS) -> Path:
    path = folder / "a.ndjson"
    path.write_text("".join(f"{json.dumps(document(f'a{row}', price=price))}\n" for row in range(rows)))
    return path


def taken(
    shop: Shop, *paths: Path, operation: Any = "put", again: bool = False
) -> tuple[list[str], list[str]]:
    """What is wrong with files, and what was said."""
    said: list[str] = []
    files = [NdjsonFile(path, operation) for path in paths]
    notes = ProgressNotes(shop.catalogue, operation)
    return ingest(files, shop.pipeline, notes, again=again, report=silent, say=said.append), said


def test_a_file_is_taken_once_unless_it_changes_or_is_asked_for_again(tmp_path: Path, shop: Shop) -> None:
    path = written(tmp_path)
    taken(shop, path)
    assert shop.figures.read == ROWS
    _, said = taken(shop, path)
    assert (shop.figures.read, len(said)) == (ROWS, 1)
    assert "was ingested before" in said[0]
    taken(shop, path, again=True)
    assert shop.figures.outcomes == {"written": ROWS, "unchanged": ROWS}
    written(tmp_path, 2.0)
    os.utime(path, ns=(0, 1))
    taken(shop, path)
    assert set(shop.prices().values()) == {2.0}


def test_a_file_may_be_taken_once_for_each_operation(tmp_path: Path, shop: Shop) -> None:
    taken(shop, written(tmp_path))
    path = tmp_path / "ids.ndjson"
    path.write_text("".join(f'{{"id": "a{row}"}}\n' for row in range(ROWS)))
    taken(shop, path, operation="patch")
    taken(shop, path, operation="remove")
    assert (shop.prices(), shop.figures.read) == ({}, 3 * ROWS)


def test_what_was_interrupted_goes_on_and_repeats_nothing(
    tmp_path: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path)
    take, batches = shop.pipeline.take, []

    def interrupted(source: str, records: Any) -> int:
        if len(batches) == 2:
            raise KeyboardInterrupt
        batches.append(len(records))
        return take(source, records)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shop.pipeline, "take", interrupted)
        taken(shop, path)
    assert len(shop.prices()) == 6
    _, said = taken(shop, path)
    assert "goes on after 6 rows" in said[0]
    assert shop.figures.outcomes == {"written": ROWS}


def test_a_file_that_is_gone_keeps_no_other_from_being_taken(tmp_path: Path, shop: Shop) -> None:
    errors, _ = taken(shop, tmp_path / "gone.ndjson", written(tmp_path))
    assert len(shop.prices()) == ROWS
    assert [error.split(": ")[0] for error in errors] == [str(tmp_path / "gone.ndjson")]


def test_a_damaged_table_gives_what_comes_before_and_is_not_done(tmp_path: Path, shop: Shop) -> None:
    path = damaged(tmp_path)
    file = ParquetFile(path, "put", 10)
    notes = ProgressNotes(shop.catalogue, "put")
    (error,) = ingest([file], shop.pipeline, notes, again=False, report=silent, say=pytest.fail)
    assert "cannot be read after row" in error
    held = notes.of(path)
    assert 0 < held.place.rows == len(shop.prices()) < 10
    assert not held.done
