"""The truth against the engine: which listings its collection lacks, holds as they were, or should not hold."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engines.base import Hits, Metric, Vectors
from engines.columns import Value, decoded
from engines.filters import And, Eq, Exists, Filter, Not
from engines.values.columns import normalized
from service.catalogue.listing import Listing
from service.catalogue.store import Store
from service.indexing.collection import Collection

_Held = Value | tuple[str, ...] | None  # in a field
_PAGE = 1000
_PROBE_SEED = 7
_LAST_DIGITS = 1e-14  # that some engines do not keep of a float attribute
_ROUNDING = 1e-4  # of scores and coordinates, beside their size


@dataclass(slots=True)
class Differences:
    """Numbers of listings. missing: not in the collection. stale: there, with other attributes or another vector.
    extra: there, and no listing. unknown_extra: items that are neither, as the collection's count tells.

    compared: listings that were compared. pending: those whose last change had not been applied, left out.
    vectors: whether their vectors were compared, or only their attributes, as where an engine rounds them.
    """

    missing: list[int] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)
    extra: list[int] = field(default_factory=list)
    unknown_extra: int = 0
    compared: int = 0
    pending: int = 0
    vectors: bool = True

    @property
    def agree(self) -> bool:
        """Whether there are none."""
        return not (self.missing or self.stale or self.extra or self.unknown_extra)


@dataclass(slots=True)
class _Truth:
    """What the catalogue says as of a place in its outbox: listings there are, numbers of those taken out."""

    removed: list[int] = field(default_factory=list)
    pending: set[int] = field(default_factory=set)


def compare(store: Store, collection: Collection, applied: int) -> Differences:
    """Compares a collection, to which nothing is applied meanwhile, with the catalogue as of a place in its outbox.

    Of an engine with `Lookup` every item is fetched. Of any other the items with the same attributes are asked for, by
    a filter and exactly, for each such set of listings: it costs a scan for each of them. An item with more tags than
    its listing is found so where listings have those, not where none has.
    """
    truth, found = _Truth(), Differences()
    if collection.engine.capabilities.lookup:
        _by_lookup(store, collection, applied, truth, found)
    else:
        _by_filters(store, collection, applied, truth, found)
    found.pending = len(truth.pending)
    if not truth.pending:
        held = found.compared - len(found.missing) + len(found.extra)
        found.unknown_extra = max(0, collection.count() - held)
    for numbers in (found.missing, found.stale, found.extra):
        numbers.sort()
    return found


def _pages(store: Store, applied: int, truth: _Truth) -> Iterator[list[Listing]]:
    """The listings whose last change was applied; the others and the removed are collected in `truth`."""
    place = 0
    while rows := store.changes_after(place, _PAGE):
        place = rows[-1].seq
        listings = store.by_number([row.number for row in rows if not row.removed])
        page = []
        for row in rows:
            listing = listings.get(row.number)
            if row.seq > applied or (not row.removed and (listing is None or listing.version != row.version)):
                truth.pending.add(row.number)
            elif listing is None:
                truth.removed.append(row.number)
            else:
                page.append(listing)
        yield page


def _by_lookup(store: Store, collection: Collection, applied: int, truth: _Truth, found: Differences) -> None:
    names = [known.name for known in store.schema.engine.fields]
    metric = store.schema.engine.metric
    for page in _pages(store, applied, truth):
        wanted = {listing.number: listing for listing in page}
        held = collection.get(wanted)
        columns = {name: decoded(held.attributes[name]) for name in names}
        for row, number in enumerate(held.ids.tolist()):
            listing = wanted.pop(number)
            same = all(_same(columns[name][row], _held(listing, name)) for name in names)
            if not same or not _same_vector(held.vectors[row], listing.vector, metric):
                found.stale.append(number)
        found.missing += wanted
        found.compared += len(page)
    for first in range(0, len(truth.removed), _PAGE):
        found.extra += collection.get(truth.removed[first : first + _PAGE]).ids.tolist()


def _held(listing: Listing, name: str) -> _Held:
    """What a listing has in a field, tags in one order."""
    value = listing.attributes[name]
    return tuple(sorted(value)) if isinstance(value, list) else value


def _same(one: Any, other: _Held) -> bool:
    if isinstance(other, tuple):
        return sorted(one) == list(other)
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_LAST_DIGITS)
    return bool(one == other)


def _same_vector(one: Vectors, other: Vectors, metric: Metric) -> bool:
    if metric == "cosine":  # under which engines may keep them normalised
        one, other = normalized(one), normalized(other)
    return bool(np.allclose(one, other, rtol=_ROUNDING, atol=_ROUNDING * float(np.abs(other).max(initial=0))))


def _by_filters(
    store: Store, collection: Collection, applied: int, truth: _Truth, found: Differences
) -> None:
    schema = store.schema.engine
    names = [known.name for known in schema.fields]
    probe = np.random.default_rng(_PROBE_SEED).standard_normal(schema.dim).astype(np.float32)
    alike: dict[tuple[_Held, ...], dict[int, float]] = defaultdict(dict)
    for page in _pages(store, applied, truth):
        found.compared += len(page)
        for listing in page:
            key = tuple(_held(listing, name) for name in names)
            alike[key][listing.number] = _score(probe, listing.vector, schema.metric)
    capabilities = collection.engine.capabilities
    found.vectors = capabilities.exact_scores
    own = {number: key for key, numbers in alike.items() for number in numbers}
    overfull: set[int] = set()  # found by tags that they should not have
    away: set[int] = set()  # not found by their attributes
    strangers: set[int] = set()  # found by the attributes of others
    size = _size(probe, schema.metric)
    for key, wanted in alike.items():
        where = And(tuple(_has(name, value) for name, value in zip(names, key, strict=True)))
        held = _everything(collection, probe, len(wanted), where if names else None)
        for number, score in held.items():
            if number not in wanted:
                strangers.add(number)
                if number in own and not _has_tags(own[number], key):
                    overfull.add(number)
            elif found.vectors and abs(score - wanted[number]) > _ROUNDING * (size + abs(wanted[number])):
                found.stale.append(number)
        away |= wanted.keys() - held.keys()
    # Some engines take numbers that differ in their last digits for equal: who has been found in its place is not away.
    found.extra += strangers.difference(truth.pending, *alike.values())
    found.stale += overfull.difference(away, found.stale)
    _resolve(store, collection, away, strangers, found)


def _has(name: str, value: _Held) -> Filter:
    """That an item has this in a field, or no value."""
    if value is None or value == ():
        return Not(Exists(name))
    return And(tuple(Eq(name, word) for word in value)) if isinstance(value, tuple) else Eq(name, value)


def _has_tags(key: tuple[_Held, ...], asked: tuple[_Held, ...]) -> bool:
    """Whether what a listing has holds all tags that are asked for."""
    return all(
        set(words) <= set(held)
        for held, words in zip(key, asked, strict=True)
        if isinstance(held, tuple) and isinstance(words, tuple)
    )


def _resolve(
    store: Store, collection: Collection, away: set[int], strangers: set[int], found: Differences
) -> None:
    """Tells what is missing from what has other attributes: it was found by another listing's, or near its vector."""
    for number, listing in store.by_number(away).items():
        near = () if number in strangers else collection.query(listing.vector, _PAGE, exact=True).ids
        is_there = number in strangers or number in {int(id_) for id_ in near}
        (found.stale if is_there else found.missing).append(number)


def _everything(
    collection: Collection, probe: Vectors, expected: int, where: Filter | None
) -> dict[int, float]:
    """Every item that matches, with its score."""
    k = expected + 1
    while True:
        hits: Hits = collection.query(probe, k, where, exact=True)
        if len(hits.ids) < k:
            return {int(id_): float(score) for id_, score in zip(hits.ids, hits.scores, strict=True)}
        k *= 2


def _score(probe: Vectors, vector: Vectors, metric: Metric) -> float:
    """What `Hits.scores` holds for an exact answer."""
    one, other = probe.astype(np.float64), vector.astype(np.float64)
    if metric == "l2":
        return float(np.square(one - other).sum())
    product = float(one @ other)
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other)) if metric == "cosine" else 1.0
    return product / lengths if lengths else 0.0


def _size(probe: Vectors, metric: Metric) -> float:
    """About how large a term of a score is, beside which it is rounded."""
    return 1.0 if metric == "cosine" else float(np.linalg.norm(probe))
