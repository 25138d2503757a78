"""What a comparison of recommenders says, as data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.results.stats import Comparison, Interval


@dataclass(frozen=True, slots=True)
class Plan:
    """How recommenders are compared: at which k, each with which of them, how often cases are drawn again."""

    ks: tuple[int, ...]
    reference: str
    draws: int = 2000
    seed: int = 0
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of one recommender over one slice.

    cases: how many had a value. value: its mean with its interval. difference: from the reference, over the cases
    where both have a value; None for the reference itself. few: whether the slice has too few cases to say much.
    """

    recommender: str
    slice: str
    figure: str
    k: int
    cases: int
    few: bool
    value: Interval
    difference: Comparison | None

    def to_json(self) -> dict[str, Any]:
        """As plain values; what is not known is None. The level is the plan's."""
        plain = asdict(self)
        plain["value"], plain["low"], plain["high"] = self.value.estimate, self.value.low, self.value.high
        for part in (plain, plain["difference"] or {}):
            part.pop("level", None)
        found: dict[str, Any] = without_nan(plain)
        return found


@dataclass(frozen=True, slots=True)
class Table:
    """Every cell, and how they came about. slices: their labels and numbers of cases, by name."""

    plan: Plan
    cases: int
    items: int
    slices: Mapping[str, tuple[str, int]]
    cells: tuple[Cell, ...]

    def cell(self, recommender: str, figure: str, k: int, part: str = "all") -> Cell:
        """One cell. Raises KeyError if there is none."""
        for found in self.cells:
            if (found.recommender, found.figure, found.k, found.slice) == (recommender, figure, k, part):
                return found
        raise KeyError((recommender, figure, k, part))

    def to_json(self) -> dict[str, Any]:
        """The table as plain values for a JSON file; what is not known is None."""
        return {
            "plan": asdict(self.plan) | {"ks": list(self.plan.ks)},
            "cases": self.cases,
            "items": self.items,
            "slices": {
                name: {"label": label, "cases": count} for name, (label, count) in self.slices.items()
            },
            "cells": [cell.to_json() for cell in self.cells],
        }


def without_nan(value: Any) -> Any:
    """The same plain value with None in place of every NaN, which JSON does not know."""
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, list):
        return [without_nan(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value
