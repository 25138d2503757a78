"""Records are written, kept as dead letters, or tried again, and all of it is counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from service.database.errors import StoreError
from service.ingestion.letters import LettersError
from tests.unit.service.ingestion.shop import Shop, document, record


def test_what_is_right_is_written_and_what_is_not_is_kept_with_every_reason(shop: Shop) -> None:
    wrong = document("b", price="1.5", brand=None, colour="red")
    bad = [
        record(2, wrong),
        record(3, ["a"]),
        record(4, document("d", id=7)),
        record(5, document("e", id=None)),
    ]
    shop.pipeline.take("file", [record(1, document("a")), *bad, record(6, document("f"))])
    assert shop.prices() == {"a": 1.5, "f": 1.5}
    assert [(one["source"], one["line"]) for one in shop.dead] == [("file", line) for line in (2, 3, 4, 5)]
    assert {problem["field"] for problem in shop.dead[0]["problems"]} == {"price", "brand", "colour"}
    assert shop.dead[0]["document"] == wrong
    assert [one["problems"][0]["field"] for one in shop.dead[1:]] == ["document", "id", "id"]
    assert (shop.figures.read, shop.figures.outcomes) == (6, {"written": 2, "invalid": 4})


def test_what_is_past_already_is_counted_and_is_no_dead_letter(shop: Shop) -> None:
    newer = record(1, document("a", version=9, price=2.0))
    shop.pipeline.take(
        "file", [newer, newer, record(2, document("a", version=8)), record(3, {"id": "z"}, "remove")]
    )
    assert shop.figures.outcomes == {"written": 1, "unchanged": 1, "stale": 1, "absent": 1}
    assert shop.dead == []
    assert shop.prices() == {"a": 2.0}


def test_a_patch_takes_away_what_it_says_is_null(shop: Shop) -> None:
    whole = document("a", colours=["red"], size=3)
    shop.pipeline.take(
        "file", [record(1, whole), record(2, {"id": "a", "size": None, "colours": None}, "patch")]
    )
    assert shop.catalogue.get(["a"])["a"].attributes | {"price": 0} == {
        "brand": "COS", "price": 0, "new": False, "colours": [], "size": None
    }  # fmt: skip
    shop.pipeline.take("file", [record(3, {"id": "a", "brand": None}, "patch")])
    assert [one["problems"][0]["field"] for one in shop.dead] == ["brand"]


def test_a_patch_of_nothing_is_a_dead_letter(shop: Shop) -> None:
    shop.pipeline.take("file", [record(1, {"id": "z", "price": 1.0}, "patch")])
    assert "put it first" in shop.dead[0]["problems"][0]["detail"]


def test_it_says_where_and_of_when_is_what_it_wrote(shop: Shop) -> None:
    records = [
        replace(record(line, content), at_ms=line * 1000)
        for line, content in enumerate((document("a"), {}, document("b"), document("a")), start=1)
    ]
    taken = shop.pipeline.take("file", records)
    assert (taken.seq, taken.made_ms) == (shop.catalogue.last_seq(), [1000, 3000])
    assert shop.pipeline.take("file", records[1:2]).seq == 0


def test_a_store_that_fails_is_tried_again_and_an_invalid_document_is_not(tmp_path: Path) -> None:
    tries: list[int] = []

    def fail() -> None:
        tries.append(1)
        if len(tries) <= 3:
            raise StoreError("the disk is full; free some space")

    shop = Shop(tmp_path, fail)
    shop.pipeline.take("file", [record(1, document("a")), record(2, {})])
    assert (shop.prices(), len(tries), shop.figures.retries) == ({"a": 1.5}, 4, 3)
    assert (len(shop.dead), shop.figures.error) == (1, "")
    shop.catalogue.close()


def test_it_is_given_up_after_a_while_and_nothing_is_counted_as_done(tmp_path: Path) -> None:
    def fail() -> None:
        raise StoreError("the disk is full; free some space")

    shop = Shop(tmp_path, fail)
    with pytest.raises(StoreError, match="the disk is full"):
        shop.pipeline.take("file", [record(1, document("a")), record(2, {})])
    assert shop.figures.retries > 3
    assert (shop.figures.error, shop.figures.read, shop.dead) == ("the disk is full; free some space", 0, [])
    shop.catalogue.close()


def test_whoever_stops_it_does_not_wait_for_the_store(tmp_path: Path) -> None:
    def fail() -> None:
        shop.stopping.set()
        raise StoreError("gone")

    shop = Shop(tmp_path, fail)
    with pytest.raises(StoreError, match="gone"):
        shop.pipeline.take("file", [record(1, document("a"))])
    assert shop.figures.retries == 1
    shop.catalogue.close()


def test_dead_letters_that_cannot_be_kept_hold_up_their_source(shop: Shop) -> None:
    shop.letters.path.unlink()
    shop.letters.path.mkdir()
    with pytest.raises(LettersError, match=r"letters\.ndjson: cannot be written"):
        shop.pipeline.take("file", [record(1, {})])
    assert shop.figures.read == 0
