"""Listings as they are shown, kept while they do not change."""

from __future__ import annotations

from dataclasses import replace

from service.catalogue.listing import Listing
from service.memory.following import InStep
from service.memory.shelf import Shelf
from service.memory.stock import Stock
from tests.unit.service.memory.truth import SCHEMA, Truth, listings


def test_what_is_shown_is_read_once_and_again_when_it_has_changed() -> None:
    truth, stock = Truth(listings(100)), Stock(SCHEMA)
    in_step = InStep(truth, [stock])  # type: ignore[arg-type]
    in_step.catch_up()
    reads: list[list[int]] = []

    class Counted(Truth):
        def by_number(self, numbers):  # type: ignore[no-untyped-def]
            reads.append(list(numbers))
            return truth.by_number(reads[-1])

    shelf = Shelf(Counted([]), most=3)  # type: ignore[arg-type]

    def shown(*numbers: int) -> dict[int, Listing]:
        known = stock.look(numbers)
        return shelf.show(known.numbers.tolist(), known.versions.tolist())

    assert shown(1, 2) == {1: truth.there[1], 2: truth.there[2]}
    truth.put([replace(truth.there[2], version=2)])
    in_step.catch_up()
    assert shown(1, 2)[2].version == 2
    truth.remove([9])  # and the stock has not heard of it yet
    assert shown(9, 1).keys() == {1}
    shown(4, 5)
    shown(2, 1)
    assert reads == [[1, 2], [2], [9], [4, 5], [1]]  # 1 had been kept longest
