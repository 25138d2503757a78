"""The first stage: where candidates come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from engines.abilities import FullText
from engines.base import Capabilities, Hits, UnsupportedError, Vectors
from engines.filters import Filter
from engines.values.fusion import fused
from service.memory.stock import Stock
from service.memory.words import WordIndex
from service.retrieval.values import InvalidRequestError, WordsOf

# Stages within retrieval: an index is asked, or the service's own index of words.
ENGINE, WORDS = "engine", "words"


class IndexFailedError(Exception):
    """An index raised, or answered with what is no answer; what it said is the cause."""


@contextmanager
def _told(where: Filter | None) -> Iterator[None]:
    """What an index raises, as what it means. A filter that it cannot express is the caller's to change and no failure:
    counted as one, a single caller could have the index left alone for all.
    """
    try:
        yield
    except UnsupportedError as error:
        if where is None:
            raise IndexFailedError(f"{type(error).__name__}: {error}") from error
        raise InvalidRequestError([f"where: {error}; ask with other values"]) from error
    except Exception as error:  # adapters raise EngineError or what their client raises
        raise IndexFailedError(f"{type(error).__name__}: {error}") from error


class Index(Protocol):
    """What retrieval needs of an engine: blocking, and safe to call from several threads."""

    @property
    def capabilities(self) -> Capabilities:
        """What the engine can do."""

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        """As `engines.base.Engine.query`."""


class Staged(Protocol):
    """What is told which stage a request is in."""

    def within(self, stage: str) -> AbstractContextManager[None]:
        """For a `with` around a stage."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a source found. numbers, scores: best first, higher is better, each listing once.

    rankings: what was found by which ranking, scores as that gives them. complete: whether nothing else matches.
    """

    numbers: list[int]
    scores: list[float]
    rankings: Mapping[str, Hits]
    complete: bool


class Source(Protocol):
    """Where candidates come from. words: whose index ranks by words, None where none does."""

    @property
    def words(self) -> WordsOf | None: ...

    def find(self, wanted: int, where: Filter | None, *, exact: bool) -> Candidates:
        """About as many as wanted. Raises IndexFailedError; InvalidRequestError for a filter beyond the index."""


@dataclass(frozen=True, slots=True)
class Dense:
    """Those nearest to a vector."""

    index: Index
    vector: Vectors
    smaller_is_nearer: bool
    progress: Staged
    words: ClassVar[None] = None

    def find(self, wanted: int, where: Filter | None, *, exact: bool) -> Candidates:
        """Raises IndexFailedError."""
        with _told(where), self.progress.within(ENGINE):
            hits = self.index.query(self.vector, wanted, where, exact=exact)
        return _checked("dense", hits, wanted, -1 if self.smaller_is_nearer else 1)


@dataclass(frozen=True, slots=True)
class EngineText:
    """Those that hold the words, by the engine's own BM25."""

    index: FullText
    text: str
    progress: Staged
    words: ClassVar[WordsOf] = "engine"

    def find(self, wanted: int, where: Filter | None, *, exact: bool) -> Candidates:
        """Raises IndexFailedError. exact: makes no difference, words are never approximated."""
        with _told(where), self.progress.within(ENGINE):
            hits = self.index.match(self.text, wanted, where)
        return _checked("text", hits, wanted, 1)


@dataclass(frozen=True, slots=True)
class OwnText:
    """Those that hold the words, by the service's own index. stopped: whether nobody waits for them any more."""

    index: WordIndex
    text: str
    progress: Staged
    stopped: Callable[[], bool]
    words: ClassVar[WordsOf] = "service"

    def find(self, wanted: int, where: Filter | None, *, exact: bool) -> Candidates:
        """Raises TimeoutError. exact: makes no difference."""
        with self.progress.within(WORDS):
            hits = self.index.match(self.text, wanted, where, self.stopped)
        return _checked("text", hits, wanted, 1)


@dataclass(frozen=True, slots=True)
class Fused:
    """Both, by reciprocal rank fusion."""

    dense: Dense
    text: EngineText | OwnText

    @property
    def words(self) -> WordsOf:
        """Whose index ranks by words."""
        return self.text.words

    def find(self, wanted: int, where: Filter | None, *, exact: bool) -> Candidates:
        """Raises IndexFailedError."""
        parts = [source.find(wanted, where, exact=exact) for source in (self.dense, self.text)]
        rankings = {name: hits for part in parts for name, hits in part.rankings.items()}
        both = fused(rankings.values(), 2 * wanted)
        complete = all(part.complete for part in parts)
        return Candidates(list(both.ids), list(both.scores), rankings | {"fused": both}, complete)


@dataclass(frozen=True, slots=True)
class Popular:
    """The most popular ones, from the truth."""

    stock: Stock
    words: ClassVar[None] = None

    def find(self, wanted: int, where: Filter | None, *, exact: bool) -> Candidates:
        """exact: makes no difference."""
        return _checked("popular", self.stock.popular(wanted, where), wanted, 1)


def _checked(name: str, hits: Hits, wanted: int, sign: int) -> Candidates:
    """Hits as candidates, each once and none without a score; those may come from a server that is not quite right."""
    ids, scores = np.asarray(hits.ids, np.int64), np.asarray(hits.scores, np.float64)
    if len(scores) != len(ids):
        raise IndexFailedError(f"{len(ids)} ids with {len(scores)} scores")
    complete = len(ids) < wanted
    scored = np.isfinite(scores)
    if not scored.all():
        ids, scores = ids[scored], scores[scored]
    numbers = ids.tolist()
    if len(set(numbers)) < len(numbers):
        _, first = np.unique(ids, return_index=True)
        first.sort()
        numbers, scores = ids[first].tolist(), scores[first]
    return Candidates(numbers, (sign * scores).tolist(), {name: Hits(numbers, scores)}, complete)
