"""A filter for each held-out user, made of what they took before. Pure."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engines.columns import Column
from engines.filters import And, Eq, Filter, In, Range, matches
from models.data.interactions import ItemLists
from models.data.items import MISSING, Categories, Items
from models.publishing.columns import Layout
from models.publishing.options import OwnFilters

Condition = Eq | In | Range


@dataclass(frozen=True, slots=True)
class UserFilters:
    """One filter (or None) a user, and how they came about.

    without_history: users who took nothing before and so get none. unknown: users whose history says nothing about the
    columns. loosened: by the dataset's column, how many filters lost their condition on it because too few listings
    matched. dropped: users whose filter lost all of them.
    """

    filters: tuple[Filter | None, ...]
    without_history: int = 0
    unknown: int = 0
    loosened: Mapping[str, int] = field(default_factory=dict)
    dropped: int = 0

    @property
    def filtered(self) -> int:
        """How many users have a filter."""
        return sum(where is not None for where in self.filters)


def filter_problems(items: Items, options: OwnFilters) -> list[str]:
    """What is wrong with the choice of columns for a catalogue, one line each; [] if nothing."""
    kinds = (
        ("equal", options.equal, "category", items.categories),
        ("among", options.among, "category", items.categories),
        ("range", options.range, "number", items.numbers),
    )
    problems = [
        f"filters.{key}: '{name}' is no {kind} column of the catalogue (these are: {', '.join(known) or 'none'}); "
        "correct or remove it"
        for key, names, kind, known in kinds
        for name in names
        if name not in known
    ]
    repeated = [name for name, times in Counter(options.columns).items() if times > 1]
    return problems + [f"filters: '{name}' is named more than once; keep one" for name in repeated]


def own_filters(
    histories: ItemLists,
    items: Items,
    laid: Layout,
    options: OwnFilters,
    columns: Mapping[str, Column],
    *,
    rows: int,
) -> UserFilters:
    """The filters of these users.

    histories: rows of `items`, one list a user. columns: what is searched, by the dataset's name, `rows` rows each; it
    may be a part of `items`.
    """
    filters: list[Filter | None] = []
    loosened: Counter[str] = Counter()
    enough: dict[tuple[Condition, ...], bool] = {}
    without = unknown = dropped = 0
    for user in range(len(histories)):
        history = histories[user]
        conditions = tuple(_conditions(history, items, laid, options))
        asked = len(conditions)
        while conditions and not _enough(conditions, columns, rows, options.fewest, enough):
            loosened[conditions[-1].field] += 1
            conditions = conditions[:-1]
        without += not len(history)
        unknown += bool(len(history)) and not asked
        dropped += bool(asked) and not conditions
        filters.append(_joined(conditions))
    return UserFilters(tuple(filters), without, unknown, dict(loosened), dropped)


def let_through(filters: UserFilters, targets: ItemLists, columns: Mapping[str, Column]) -> int:
    """How many targets their user's filter lets through: no answer under the filters can hold the others.

    targets: one list a user, rows of `columns`.
    """
    count = 0
    for user, where in enumerate(filters.filters):
        rows = targets[user]
        count += int(
            matches(where, {name: column[rows] for name, column in columns.items()}, len(rows)).sum()
        )
    return count


def _conditions(
    history: npt.NDArray[np.int32], items: Items, laid: Layout, options: OwnFilters
) -> Iterator[Condition]:
    """In the order in which they are kept: the last goes first."""
    for name in options.equal:
        if words := _frequent(items.categories[name], history, 1):
            yield Eq(laid.categories[name], words[0])
    for name in options.among:
        if words := _frequent(items.categories[name], history, options.most):
            yield In(laid.categories[name], tuple(sorted(words)))
    for name in options.range:
        values = items.numbers[name][history]
        values = values[~np.isnan(values)]
        if len(values):
            low, high = float(values.min()), float(values.max())
            yield Range(
                laid.numbers[name],
                gte=max(low - options.widen * abs(low), -sys.float_info.max),
                lte=min(high + options.widen * abs(high), sys.float_info.max),
            )


def _frequent(column: Categories, rows: npt.NDArray[np.int32], most: int) -> list[str]:
    """The most frequent words of these rows, the most frequent first, the first in the alphabet among equals."""
    codes, times = np.unique(column.codes[rows], return_counts=True)
    known = codes != MISSING
    codes, times = codes[known], times[known]
    return [column.words[code] for code in codes[np.argsort(-times, kind="stable")[:most]]]


def _enough(
    conditions: tuple[Condition, ...],
    columns: Mapping[str, Column],
    rows: int,
    fewest: int,
    known: dict[tuple[Condition, ...], bool],
) -> bool:
    """Whether at least `fewest` of `rows` listings match; found once for each set of conditions."""
    if conditions not in known:
        mask = matches(And(conditions), columns, rows)
        known[conditions] = bool(np.count_nonzero(mask) >= fewest)
    return known[conditions]


def _joined(conditions: tuple[Condition, ...]) -> Filter | None:
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else And(conditions)
