"""The same data have the same fingerprint, and any other data another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.data.fingerprint import fingerprint
from models.data.interactions import Interactions
from models.data.items import Categories, Items


def objects(*values: Any) -> np.ndarray:
    made = np.empty(len(values), object)
    made[:] = values
    return made


def items() -> Items:
    return Items(
        ids=objects("a", "b", "c"),
        categories={"brand": Categories.encode(["Aster", None, "Birke"])},
        numbers={"price": np.array([1.0, np.nan, 3.0])},
        texts={"title": objects("coat", "", "hat")},
        listed_ms=np.array([1, 2, 3]),
    )


def interactions() -> Interactions:
    return Interactions(
        users=np.array([0, 1], np.int32),
        items=np.array([2, 0], np.int32),
        weights=np.ones(2, np.float32),
        user_ids=objects("x", "y"),
        times_ms=np.array([5, 6]),
    )


def test_equal_data_have_one_fingerprint() -> None:
    assert fingerprint(items(), interactions()) == fingerprint(items(), interactions())


@pytest.mark.parametrize(
    "changed",
    [
        {"ids": objects("a", "b", "d")},
        {"ids": objects(1, 2, 3)},
        {"categories": {}},
        {"categories": {"maker": items().categories["brand"]}},
        {"categories": {"brand": Categories.encode(["Aster", None, "Buche"])}},
        {"categories": {"brand": Categories.encode([None, "Aster", "Birke"])}},
        {"numbers": {"price": np.array([1.0, 2.0, 3.0])}},
        {"texts": {"title": objects("coat", "hat", "")}},
        {"texts": {"title": objects("coat", '", "', "hat")}},
        {"listed_ms": None},
    ],
)
def test_another_catalogue_has_another(changed: dict[str, Any]) -> None:
    assert fingerprint(replace(items(), **changed), interactions()) != fingerprint(items(), interactions())


@pytest.mark.parametrize(
    "changed",
    [
        {"users": np.array([1, 0], np.int32)},
        {"items": np.array([2, 1], np.int32)},
        {"weights": np.array([1, 2], np.float32)},
        {"user_ids": objects("x", "z")},
        {"times_ms": np.array([6, 5])},
        {"times_ms": None},
    ],
)
def test_other_interactions_have_another(changed: dict[str, Any]) -> None:
    assert fingerprint(items(), replace(interactions(), **changed)) != fingerprint(items(), interactions())
