"""Listings ranked by words, for engines that cannot: SQLite's FTS5 in memory, made of the truth."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence

from engines.base import Hits
from engines.filters import Filter
from engines.values.words import words
from service.catalogue.listing import Listing
from service.catalogue.schema import CatalogueSchema
from service.indexing.batches import searched
from service.memory.stock import Stock

_MOST_WORDS = 64  # of a question
_STEPS = 10_000  # of SQLite's machine between two looks whether to go on, well below a millisecond
_FACTOR = 8  # by which more matches are looked at where a filter leaves too few
# Words are cut before they are stored, by engines.values.words as for every engine; what FTS5 calls ascii only splits
# at spaces then, and its own idea of what a letter is does not matter.
_TABLE = "create virtual table listings using fts5(words, tokenize = 'ascii')"
_MATCH = "select rowid, -rank from listings where listings match ? order by rank, rowid limit ?"


class WordIndex:
    """BM25 (k1 = 1.2, b = 0.75; a word that more than half of the listings hold counts nearly nothing).

    Every listing with one of the words is a match. Filters are applied by `stock`, to all matches in order of rank, so
    that none is missed. Safe to use from several threads, one at a time.
    """

    def __init__(self, schema: CatalogueSchema, stock: Stock) -> None:
        self._schema, self._stock = schema, stock
        self._lock = threading.Lock()
        self._database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._database.execute(_TABLE)

    def apply(self, present: Sequence[Listing], removed: Sequence[int]) -> None:
        """Takes in listings as they are now, and takes out those that are no longer there."""
        rows = [(one.number, " ".join(words(searched(one, self._schema)))) for one in present]
        gone = [(number,) for number, _ in rows] + [(number,) for number in removed]
        with self._lock:
            self._database.execute("begin")
            self._database.executemany("delete from listings where rowid = ?", gone)
            self._database.executemany("insert into listings (rowid, words) values (?, ?)", rows)
            self._database.execute("commit")

    def match(
        self, text: str, k: int, where: Filter | None = None, stopped: Callable[[], bool] = lambda: False
    ) -> Hits:
        """The k listings with the highest BM25 among those that hold one of the words and match `where`.

        It takes some 3 us for each listing that holds one of the words. Raises TimeoutError once `stopped` says so.
        """
        asked = list(dict.fromkeys(words(text)))[:_MOST_WORDS]
        if not asked:
            return Hits([], [])
        question, limit = " OR ".join(f'"{word}"' for word in asked), max(k, 1)
        while True:
            found = self._found(question, limit, stopped)
            kept = self._stock.look(number for number, _ in found)
            matching = set(kept.numbers[kept.matching(where)].tolist())
            hits = [(number, score) for number, score in found if number in matching][:k]
            if len(hits) == k or len(found) < limit:
                return Hits([number for number, _ in hits], [score for _, score in hits])
            limit *= _FACTOR

    def _found(self, question: str, limit: int, stopped: Callable[[], bool]) -> list[tuple[int, float]]:
        with self._lock:
            self._database.set_progress_handler(stopped, _STEPS)
            try:
                return self._database.execute(_MATCH, (question, limit)).fetchall()
            except sqlite3.OperationalError as error:
                if stopped():
                    raise TimeoutError("the search for words was given up") from error
                raise
            finally:
                self._database.set_progress_handler(None, 0)

    def close(self) -> None:
        """Lets go of the index."""
        self._database.close()
