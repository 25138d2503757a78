"""What the truth says of every listing on sale, in columns and in memory: what stages, rules and fallback look at."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.base import Batch, Hits, Ids
from engines.columns import Column, Nullable
from engines.filters import Filter, Mask, leaves, matches
from engines.values.columns import ColumnStore
from engines.values.growing import Growable
from service.catalogue.listing import Listing
from service.catalogue.schema import CatalogueSchema
from service.indexing.batches import as_batch
from service.memory.facets import Facet, facet

_SAMPLE = 4096  # rows; a share of 1 in 100 is then off by less than half of it
_SPARE_ROWS = 10_000  # rows of former versions that are not worth copying the others for


@dataclass(frozen=True, slots=True)
class Known:
    """n listings on sale. numbers, versions, listed_ms: int64[n]. ids: object[n] of str. sellers, brands: object[n] of
    str or None. columns: by filterable field, n rows each.
    """

    numbers: Ids
    ids: npt.NDArray[np.object_]
    versions: Ids
    listed_ms: Ids
    sellers: npt.NDArray[np.object_]
    brands: npt.NDArray[np.object_]
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: Any) -> Known:
        """Those in `rows` (a mask or an index array)."""
        return Known(
            self.numbers[rows],
            self.ids[rows],
            self.versions[rows],
            self.listed_ms[rows],
            self.sellers[rows],
            self.brands[rows],
            _Picked(self.columns, rows),
        )

    def matching(self, where: Filter | None) -> Mask:
        """Which of them match: bool[n]."""
        return matches(where, self.columns, len(self))


class _Picked(Mapping[str, Column]):
    """Some rows of columns, each picked when it is asked for: questions look at few of them. Rows never change."""

    def __init__(self, columns: Mapping[str, Column], rows: Any) -> None:
        self._columns, self._rows = columns, rows

    def __getitem__(self, name: str) -> Column:
        return self._columns[name][self._rows]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


class _Rows:
    """Rows in the order they were written; former versions of a listing stay until all are copied anew."""

    def __init__(self, schema: CatalogueSchema) -> None:
        self.columns = ColumnStore(schema.engine)
        self.of_listing = [Growable(object), Growable(np.int64), Growable(np.int64)]
        self.of_owner = [Growable(object), Growable(object)]

    def append(self, known: Known) -> None:
        batch = Batch(known.numbers, np.empty((len(known), 0), np.float32), known.columns)
        self.columns.append(batch)
        given = (known.ids, known.versions, known.listed_ms, known.sellers, known.brands)
        for column, values in zip([*self.of_listing, *self.of_owner], given, strict=True):
            column.append(values)

    def take(self, rows: Any) -> Known:
        ids, versions, listed = (column.view[rows] for column in self.of_listing)
        sellers, brands = (column.view[rows] for column in self.of_owner)
        return Known(
            self.columns.ids[rows],
            ids,
            versions,
            listed,
            sellers,
            brands,
            _Picked(self.columns.columns, rows),
        )


class Stock:
    """Safe to read and to write from several threads."""

    def __init__(self, schema: CatalogueSchema, popularity: str | None = None) -> None:
        """popularity: the field that says how popular a listing is; None: the newest are."""
        self.schema = schema
        self._popularity = popularity
        self._lock = threading.Lock()
        self._rows = _Rows(schema)
        self._words: dict[str, str] = {}  # sellers and brands, of which each is kept once
        self._typical_age: tuple[int, float] | None = (
            None  # rows it was worked out at, and the median of listed_ms
        )

    def __len__(self) -> int:
        return self._rows.columns.count

    def apply(self, present: Sequence[Listing], removed: Sequence[int]) -> None:
        """Takes in listings as they are now, each once, and takes out those that are no longer there."""
        known = self._known(present)
        with self._lock:
            self._rows.append(known)
            self._rows.columns.delete(np.array(removed, np.int64))
            dead = len(self._rows.columns) - self._rows.columns.count
            if dead > _SPARE_ROWS + self._rows.columns.count:
                living, self._rows = self._rows, _Rows(self.schema)
                self._rows.append(living.take(living.columns.select(None)))

    def _known(self, listings: Sequence[Listing]) -> Known:
        batch = as_batch(listings, self.schema)
        return Known(
            batch.ids,
            _objects([listing.id for listing in listings]),
            np.array([listing.version for listing in listings], np.int64),
            np.array([listing.listed_at_ms for listing in listings], np.int64),
            _objects([self._once(listing.seller) for listing in listings]),
            _objects([self._once(listing.brand) for listing in listings]),
            batch.attributes,
        )

    def _once(self, word: str | None) -> str | None:
        return None if word is None else self._words.setdefault(word, word)

    def look(self, numbers: Iterable[int]) -> Known:
        """Those of these listings that are on sale, in the order asked, each once."""
        asked = np.fromiter(numbers, np.int64)
        with self._lock:
            return self._rows.take(self._rows.columns.rows_of(asked))

    def fits(self, listing: Listing, where: Filter | None) -> bool:
        """Whether a listing as it is given matches."""
        return bool(self._known([listing]).matching(where)[0])

    def estimated(self, where: Filter | None) -> float:
        """About how many listings match, from a sample of some 4,096 rows; those of former versions count alike."""
        with self._lock:
            rows, count = self._rows.columns, self._rows.columns.count
            if where is None or not count:
                return float(count)
            sample = slice(None, None, -(-len(rows) // _SAMPLE))
            size = len(rows.ids[sample])
            columns = {leaf.field: rows.columns[leaf.field][sample] for leaf in leaves(where)}
        return count * int(np.count_nonzero(matches(where, columns, size))) / size

    def count(self, where: Filter | None) -> int:
        """How many listings match, counted."""
        with self._lock:
            mask = self._rows.columns.select(where)
            return self._rows.columns.count if mask is None else int(np.count_nonzero(mask))

    def facets(self, most: int) -> list[Facet]:
        """The values of each field, of which `most` are named."""
        with self._lock:
            columns, living = dict(self._rows.columns.columns), self._rows.columns.select(None)
        # Beyond the lock: rows that come later lie behind these, and no row changes.
        return [facet(field, columns[field.name], living, most) for field in self.schema.engine.fields]

    def drawn(self, where: Filter, count: int, seed: int) -> list[str]:
        """Ids of listings that match, drawn at random, each at most once."""
        with self._lock:
            mask = self._rows.columns.select(where)
            ids = self._rows.of_listing[0].view
            rows = np.arange(len(ids)) if mask is None else np.flatnonzero(mask)
        chosen = np.random.default_rng(seed).permutation(rows)[:count]
        return [str(ids[row]) for row in chosen]

    def popular(self, wanted: int, where: Filter | None) -> Hits:
        """The most popular listings that match, ties by the newer, then by the lower number.

        Those of which it is not said how popular they are count as the least popular.
        """
        with self._lock:
            mask = self._rows.columns.select(where)
            rows = np.arange(len(self._rows.columns)) if mask is None else np.flatnonzero(mask)
            listed = self._rows.of_listing[2].view[rows]
            score = listed if self._popularity is None else self._rows.columns.columns[self._popularity][rows]
            numbers = self._rows.columns.ids[rows]
        score = numbers_of(score)
        missing = np.isnan(score)
        score[missing] = 0 if missing.all() else score[~missing].min()
        best = np.lexsort((numbers, -listed, -score))[:wanted]
        return Hits(numbers[best], score[best])

    def typical_age_ms(self, now_ms: int) -> float:
        """The median age of what is on sale, worked out anew when a tenth of the rows is new."""
        with self._lock:
            rows = len(self._rows.columns)
            if self._typical_age is None or abs(rows - self._typical_age[0]) * 10 > self._typical_age[0]:
                living = self._rows.columns.select(None)
                listed = self._rows.of_listing[2].view
                listed = listed if living is None else listed[living]
                self._typical_age = rows, float(np.median(listed)) if len(listed) else float(now_ms)
            return max(0.0, now_ms - self._typical_age[1])


def numbers_of(column: Column) -> npt.NDArray[np.float64]:
    """A column of numbers as a new float64[n], NaN where one is missing."""
    if isinstance(column, Nullable):
        return np.where(column.present, column.values, np.nan)
    return np.array(column, np.float64)


def _objects(values: Sequence[object]) -> npt.NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
