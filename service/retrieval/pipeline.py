"""The three stages of one request, in a thread."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from engines.filters import Filter
from service.memory.following import InStep
from service.memory.shelf import Shelf
from service.memory.stock import Known, Stock
from service.retrieval.options import RetrievalOptions
from service.retrieval.relaxing import conditions, fields, relaxations
from service.retrieval.reranking import Context, Ranked
from service.retrieval.rules import Selection
from service.retrieval.sources import Candidates
from service.retrieval.values import Answer, Explained, Hit, Place, ShortBecause
from service.retrieval.work import Work

_MORE = 4  # times as many candidates are asked for where rules leave too few


@dataclass(slots=True)
class _Filled:
    """What a filter came to. rows: of `known`, in the order of their hits; order: all of its rows, best first."""

    where: Filter | None
    selection: Selection
    candidates: Candidates
    known: Known
    ranked: Ranked
    rows: list[int]
    order: list[int]
    exact: bool
    short: ShortBecause | None = None


class Pipeline:
    """Safe to run in several threads."""

    def __init__(
        self,
        stock: Stock,
        in_step: InStep,
        shelf: Shelf,
        options: RetrievalOptions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stock, self._in_step, self._shelf = stock, in_step, shelf
        self._options, self._clock = options, clock

    def narrow(self, where: Filter | None) -> bool:
        """Whether so few listings are thought to match that an exact search is the cheaper one."""
        return self._stock.estimated(where) <= self._options.exact_below

    def run(self, work: Work, now_ms: int) -> Answer:
        """The answer, of which `fallback` is the caller's to say. Raises IndexFailedError, StoreError."""
        with work.progress.within("truth"):
            self._in_step.catch_up()
        request, options = work.request, self._options
        selection = Selection(request.k, request.exclusions, options.a_seller, options.a_brand)
        steps = relaxations(request.where, options.relax, options.widen) if request.relax else []
        hits: list[Hit] = []
        used, exact, filled = 0, work.exact, None
        for step, where in enumerate([request.where, *(relaxation.where for relaxation in steps)]):
            filled = self._fill(work, where, selection, now_ms)
            selection, exact = filled.selection, exact or filled.exact
            if filled.rows:
                used = step
                hits += self._hits(work, filled, relaxed=step > 0)
            if filled.short != "matches":
                break
        assert filled is not None
        return Answer(
            tuple(hits),
            "exact" if exact else "approximate",
            request.variant,
            tuple(steps[:used]),
            work.source.words,
            short=filled.short or (None if len(hits) == request.k else "matches"),
            removed=selection.removed(explain=request.explain),
            unused=work.unused,
            stages=tuple(work.progress.stages),
        )

    def _fill(self, work: Work, where: Filter | None, chosen: Selection, now_ms: int) -> _Filled:
        """Adds to what is chosen until there are k, or nothing more is to be had."""
        request, options, exact = work.request, self._options, work.exact
        excluded = min(request.exclusions.listings, request.k)  # of more, few will be among the best
        wanted = min(options.most, math.ceil(request.k * options.oversample) + excluded)
        while True:
            with work.progress.within("retrieve"):
                candidates = work.source.find(wanted, where, exact=exact)
            filled = self._chosen(work, where, chosen, candidates, now_ms)
            filled.exact = exact
            if filled.selection.full:
                return filled
            if not candidates.complete and wanted < options.most:
                wanted = min(options.most, _MORE * wanted)
            elif not candidates.complete:
                filled.short = "candidates"
                return filled
            elif work.can_exact and not exact and self._stock.count(where) > len(filled.known):
                exact = True  # an approximate search may miss some; only an exact one proves that there are no more
            else:
                filled.short = "matches"
                return filled
            if work.progress.gone or work.until.passed(self._clock()):
                filled.short = "deadline"
                return filled

    def _chosen(
        self, work: Work, where: Filter | None, chosen: Selection, candidates: Candidates, now_ms: int
    ) -> _Filled:
        """Looks candidates up in the truth, ranks them anew and applies the rules."""
        with work.progress.within("rerank"):
            known, scores = self._stock.look(candidates.numbers), np.array(candidates.scores, np.float64)
            selection = chosen.copy()
            if len(known) < len(scores):
                there = np.isin(candidates.numbers, known.numbers)
                selection.removed_by("sold", np.array(candidates.numbers)[~there].tolist())
                scores = scores[there]
            if where is not None and not (matching := known.matching(where)).all():
                selection.removed_by("changed", known.numbers[~matching].tolist())
                known, scores = known[matching], scores[matching]
            age_ms = self._stock.typical_age_ms(now_ms)
            ranked = work.reranker(known, Context(scores, now_ms, age_ms, work.prices))
            order = np.argsort(-ranked.totals, kind="stable").tolist()
        with work.progress.within("rules"):
            rows = selection.offer(known, order)
        return _Filled(where, selection, candidates, known, ranked, rows, order, work.exact)

    def _hits(self, work: Work, filled: _Filled, *, relaxed: bool) -> Iterable[Hit]:
        with work.progress.within("show"):
            rows = np.array(filled.rows, np.int64)
            numbers, versions = filled.known.numbers[rows].tolist(), filled.known.versions[rows].tolist()
            listings, totals = self._shelf.show(numbers, versions), filled.ranked.totals[rows].tolist()
        beyond: list[tuple[str, ...]] = [()] * len(rows)
        if relaxed:
            beyond = _unmet(conditions(work.request.where), filled.known[rows])
        for place, (number, row) in enumerate(zip(numbers, filled.rows, strict=True)):
            listing = listings.get(number)
            if listing is None:
                filled.selection.removed_by("sold", [number])
            elif listing.version > versions[place] and not self._stock.fits(listing, filled.where):
                filled.selection.removed_by("changed", [number])  # while this request was worked on
            else:
                explained = _explained(filled, number, row) if work.request.explain else None
                yield Hit(listing, totals[place], beyond[place], explained)


def _unmet(asked: Iterable[Filter], known: Known) -> list[tuple[str, ...]]:
    """The fields of the conditions that each listing does not meet."""
    unmet = [(fields(condition), ~known.matching(condition)) for condition in asked]
    return [
        tuple(dict.fromkeys(name for names, broken in unmet if broken[row] for name in names))
        for row in range(len(known))
    ]


def _explained(filled: _Filled, number: int, row: int) -> Explained:
    retrieved = {}
    for name, ranking in filled.candidates.rankings.items():
        ids = list(map(int, ranking.ids))
        if number in ids:
            place = ids.index(number)
            retrieved[name] = Place(place + 1, float(ranking.scores[place]))
    parts = {name: float(values[row]) for name, values in filled.ranked.parts.items()}
    return Explained(retrieved, parts, filled.order.index(row) + 1)
