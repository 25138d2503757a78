"""What the values of each field are, counted: what filters can be offered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engines.base import Field
from engines.columns import Column, Keywords, Tags, occurring, present
from engines.filters import Mask


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of a field, of the listings on sale.

    values: of keywords, tags or booleans, the commonest with how many listings have each, ties in order. others: how
    many further values there are. least, greatest: of a field of numbers; None where no listing has one. missing: how
    many listings have no value.
    """

    field: Field
    values: tuple[tuple[str | bool, int], ...] = ()
    others: int = 0
    least: float | None = None
    greatest: float | None = None
    missing: int = 0


def facet(field: Field, column: Column, living: Mask | None, most: int) -> Facet:
    """Of a column of n rows. living: bool[n], those that count; None: all. most: values that are named."""
    held = column if living is None else column[living]
    values, known = occurring(held), present(held)
    missing = 0 if known is None else len(known) - int(np.count_nonzero(known))
    if isinstance(held, Keywords | Tags):
        counts = np.bincount(values, minlength=len(held.vocabulary))
        words: list[str | bool] = held.vocabulary.tolist()
        return _counted(field, dict(zip(words, counts.tolist(), strict=True)), most, missing)
    if field.kind == "boolean":
        true = int(np.count_nonzero(values))
        return _counted(field, {True: true, False: len(values) - true}, most, missing)
    if not len(values):
        return Facet(field, missing=missing)
    return Facet(field, least=values.min().item(), greatest=values.max().item(), missing=missing)


def _counted(field: Field, counts: Mapping[str | bool, int], most: int, missing: int) -> Facet:
    found = sorted(((value, count) for value, count in counts.items() if count), key=_commonest)
    return Facet(field, tuple(found[:most]), max(0, len(found) - most), missing=missing)


def _commonest(counted: tuple[str | bool, int]) -> tuple[int, str | bool]:
    return -counted[1], counted[0]
