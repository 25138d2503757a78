"""Made-up catalogues."""

from __future__ import annotations

import numpy as np

from models.data.items import Categories, Items

SIZES = ("S", "M", "L")
COLOURS = ("red", "blue")
GOODS = ("wool coat", "rain jacket", "silk scarf", "leather boots", "summer dress")


def catalogue(rows: int = 60, seed: int = 0) -> Items:
    """Listings with two categories, two numbers and two texts; something is missing in each column."""
    generator = np.random.default_rng(seed)

    def words(choices: tuple[str, ...]) -> list[str | None]:
        return [None if generator.random() < 0.1 else str(generator.choice(choices)) for _ in range(rows)]

    price = generator.lognormal(3, 1.5, rows)
    price[::7] = np.nan
    goods = [str(generator.choice(GOODS)) for _ in range(rows)]
    title = np.array([f"{name} no {row}" for row, name in enumerate(goods)], object)
    description = np.array(
        [f"A {name}, hardly worn." if row % 3 else "" for row, name in enumerate(goods)], object
    )
    title[description == ""] = np.where(
        np.arange((description == "").sum()) % 2, "", title[description == ""]
    )
    return Items(
        np.array([f"item-{row}" for row in range(rows)], object),
        {"size": Categories.encode(words(SIZES)), "colour": Categories.encode(words(COLOURS))},
        {"price": price, "year": generator.normal(2015, 3, rows)},
        {"title": title, "description": description},
    )


def taken(rows: int = 60) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How often each was taken: every fourth never."""
    return np.where(np.arange(rows) % 4 == 0, 0, np.arange(rows) % 5 + 1)
