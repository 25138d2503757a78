"""Titles and descriptions of simulated listings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from models.data.items import MISSING, Categories
from models.data.marketplace.figures import STYLES, UNDESCRIBED
from models.data.marketplace.options import MarketplaceOptions

_WORDS = 3  # of the style, in a text


def write_texts(
    options: MarketplaceOptions, style: npt.NDArray[np.int32], columns: Mapping[str, Categories]
) -> dict[str, npt.NDArray[np.object_]]:
    """`title` and `description`, object[n] of str.

    A title names brand, category, colour and size, after a word of the style; a description has more such words, and
    is missing in one of ten. Words are of another style than the listing's as often as brands are.
    """
    rng = options.stream("words")
    n = len(style)
    words = np.array(list(STYLES.values()), dtype=object)  # [styles, words of each]
    follows = rng.random((n, _WORDS)) < options.correlation
    told = np.where(follows, style[:, None], rng.integers(len(words), size=(n, _WORDS)))
    chosen = words[told, rng.integers(words.shape[1], size=(n, _WORDS))].T.tolist()
    described = (rng.random(n) >= UNDESCRIBED).tolist()
    brand, category, colour, size = (
        _shown(columns[name]) for name in ("brand", "category", "colour", "size")
    )
    lower = [word.lower() for word in category]
    titles = [
        f"{brand_} {word} {category_}, {colour_}, {size_}"
        for brand_, word, category_, colour_, size_ in zip(brand, chosen[0], lower, colour, size, strict=True)
    ]
    made_of, condition = _shown(columns["material"], ", made of "), _shown(columns["condition"])
    descriptions = [
        f"{category_}: {first}, {second}{made_of_}. Condition: {condition_}." if there else ""
        for category_, first, second, made_of_, condition_, there in zip(
            category, *chosen[1:], made_of, condition, described, strict=True
        )
    ]
    return {"title": objects(titles), "description": objects(descriptions)}


def objects(values: Sequence[str]) -> npt.NDArray[np.object_]:
    """An array of Python objects; NumPy's own of text are as wide as their longest value."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _shown(column: Categories, before: str = "") -> list[str]:
    """One text a row, "" where there is none."""
    words = objects([*(f"{before}{word}" for word in column.words), ""])
    rows: list[str] = words[np.where(column.codes == MISSING, len(column.words), column.codes)].tolist()
    return rows
