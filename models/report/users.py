"""Example users: what they had taken, what exact search answers, and where what they took next stands in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engines.columns import Column
from engines.filters import And, Eq, Filter, In, Range, leaves, matches
from harness.results.text import visible
from models.data.items import Items
from models.data.split import Cases
from models.evaluation.nearest import Nearest
from models.evaluation.recommender import places
from models.publishing.columns import Layout, filterable, layout
from models.publishing.options import OwnFilters
from models.publishing.own_filters import own_filters
from models.report.titles import Titles
from reports.wording import number, shortened

COUNT, ANSWERS, FARTHEST = 8, 8, 1_000
OUTSIDE = "outside the filter"
_HISTORY, _TARGETS, _WORDS = 8, 4, 4  # of which at most so many are shown
_LONGEST = 40  # characters of a word in a filter

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Listed:
    """A listing. note: what there is to say of it. kind: target, outside (the user's own filter) or plain.

    passes: whether the user's own filter lets it through.
    """

    title: str
    detail: str
    note: str = ""
    kind: str = "plain"
    passes: bool = True


@dataclass(frozen=True, slots=True)
class Through:
    """What an engine at one setting answers a user. lost: how many of exact search's answers are not among its own.

    missing: titles of those of the exact answers shown that are not. same: whether the first are exact search's first.
    """

    engine: str
    setting: str
    answers: tuple[Listed, ...]
    lost: int
    missing: tuple[str, ...]
    same: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A user of the test cases. older: how many more listings the history has; more: how many more targets there are.

    own_filter: in words, "" where the user has none. passing: how many of the answers it lets through. engines: none
    where none was asked.
    """

    number: int
    length: int
    history: tuple[Listed, ...]
    older: int
    answers: tuple[Listed, ...]
    targets: tuple[Listed, ...]
    more: int
    own_filter: str
    passing: int
    engines: tuple[Through, ...] = ()


def examples(
    items: Items, nearest: Nearest, cases: Cases, filters: OwnFilters, seed: int = 0
) -> tuple[Example, ...]:
    """A few of the test cases, see `chosen`, with their answers. Filters are those that engines get with them."""
    rows = chosen(cases, seed)
    some = cases.take(rows)
    laid = layout(items)
    own = own_filters_of(items, some, filters, laid)
    answers = nearest.recommend(some, min(FARTHEST, len(items)))
    return told(items, some, answers, own, filterable(items, laid), numbers=rows)


def told(
    items: Items,
    cases: Cases,
    answers: Int32,
    own: Sequence[Filter | None],
    columns: Mapping[str, Column],
    *,
    numbers: Int64,
) -> tuple[Example, ...]:
    """These cases with their exact answers (int32[c, as far as places are told]) and their own filters.

    columns: what the filters ask, of all items. numbers: int64[c], of each case from 0.
    """
    titles = Titles(items)
    found, farthest = places(answers, cases.targets), answers.shape[1]
    every = []
    for at, number_ in enumerate(numbers.tolist()):
        history, targets = cases.histories[at][::-1], cases.targets[at]
        place = found[cases.targets.starts[at] : cases.targets.starts[at + 1]]
        first = _answers(titles, answers[at, :ANSWERS], targets, own[at], columns)
        every.append(
            Example(
                number_ + 1,
                len(history),
                tuple(plain(titles, item) for item in history[:_HISTORY].tolist()),
                max(0, len(history) - _HISTORY),
                first,
                tuple(
                    Listed(
                        titles.title(item),
                        titles.detail(item),
                        f"place {at_ + 1:,}" if at_ >= 0 else f"not among the first {farthest:,}",
                    )
                    for item, at_ in _first_found(targets, place)
                ),
                max(0, len(targets) - _TARGETS),
                in_words(own[at]),
                sum(answer.passes for answer in first),
            )
        )
    return tuple(every)


def chosen(cases: Cases, seed: int) -> Int64:
    """Rows of the cases: in the order of their histories' lengths, one drawn at random from each of COUNT equal parts.

    So they are as different as the cases are, and as usual; only that those without a history, who all get the same
    answers, are one part. All where there are no more.
    """
    rng = np.random.default_rng([seed, len(cases)])
    mixed, lengths = rng.permutation(len(cases)), cases.histories.lengths
    ordered = mixed[np.argsort(lengths[mixed], kind="stable")]
    cold, others = ordered[lengths[ordered] == 0], ordered[lengths[ordered] > 0]
    parts = [cold] if len(cold) else []
    parts += [part for part in np.array_split(others, COUNT - len(parts)) if len(part)]
    return np.array([int(rng.choice(part)) for part in parts], np.int64)


def own_filters_of(
    items: Items, cases: Cases, filters: OwnFilters, laid: Layout
) -> tuple[Filter | None, ...]:
    """The filter of each case as the dataset for engines has it."""
    sold = items if cases.candidates is None else items.take(np.flatnonzero(cases.candidates))
    columns = filterable(sold, laid)
    return own_filters(cases.histories, items, laid, filters, columns, rows=len(sold)).filters


def in_words(where: Filter | None) -> str:
    """A filter of `own_filters` as a reader says it: `size is M, category is Shoes or Tops, price 9 to 31`."""
    if where is None:
        return ""
    if isinstance(where, And):
        return ", ".join(in_words(part) for part in where.filters)
    if isinstance(where, Eq):
        return visible(f"{where.field} is {shortened(str(where.value), _LONGEST)}")
    if isinstance(where, In):
        words = [shortened(str(value), _LONGEST) for value in where.values]
        if len(words) > _WORDS:
            words = [*words[:_WORDS], f"one of {len(words) - _WORDS} others"]
        return visible(f"{where.field} is {' or '.join(words)}")
    assert isinstance(where, Range)
    return visible(f"{where.field} {number(where.gte)} to {number(where.lte)}")


def plain(titles: Titles, item: int) -> Listed:
    """A listing of which there is nothing to say."""
    return Listed(titles.title(item), titles.detail(item))


def _answers(
    titles: Titles,
    answers: npt.NDArray[np.int32],
    targets: npt.NDArray[np.int32],
    where: Filter | None,
    columns: Mapping[str, Column],
) -> tuple[Listed, ...]:
    answers = answers[answers >= 0]
    asked = {leaf.field: columns[leaf.field][answers] for leaf in leaves(where)}
    passes = matches(where, asked, len(answers))
    shown = []
    for item, inside in zip(answers.tolist(), passes.tolist(), strict=True):
        hit = item in targets
        detail = titles.detail(item) if inside else " · ".join(filter(None, (OUTSIDE, titles.detail(item))))
        kind = "target" if hit else "plain" if inside else "outside"
        shown.append(Listed(titles.title(item), detail, "taken next" if hit else "", kind, inside))
    return tuple(shown)


def _first_found(targets: npt.NDArray[np.int32], place: npt.NDArray[np.int32]) -> Sequence[tuple[int, int]]:
    """Targets with their places, those found first before the others."""
    order = np.argsort(np.where(place >= 0, place, np.iinfo(np.int32).max), kind="stable")[:_TARGETS]
    return list(zip(targets[order].tolist(), place[order].tolist(), strict=True))
