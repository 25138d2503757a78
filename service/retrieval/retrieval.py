"""The door to retrieval: threads, deadlines, breakers, and popular listings where an engine does not answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from engines.abilities import FullText
from engines.base import EngineError, Schema, Vectors
from engines.filters import check
from engines.values.vectors import require_query
from harness.errors import ConfigurationError
from service.catalogue.store import Store
from service.indexing.following import Projection
from service.limits.breaker import Breaker, Pass
from service.limits.deadline import Deadline
from service.limits.gate import OverloadedError
from service.limits.threads import Threads
from service.memory.facets import Facet
from service.memory.following import InStep
from service.memory.shelf import Shelf
from service.memory.stock import Stock
from service.memory.words import WordIndex
from service.retrieval.options import RetrievalOptions
from service.retrieval.pipeline import Pipeline
from service.retrieval.reranking import Reranker, as_retrieved, weighted
from service.retrieval.sources import (
    ENGINE,
    Dense,
    EngineText,
    Fused,
    Index,
    IndexFailedError,
    OwnText,
    Popular,
    Source,
)
from service.retrieval.users import Encoded, UserVectors
from service.retrieval.values import (
    Answer,
    Fallback,
    InvalidRequestError,
    Request,
    Took,
    UnknownListingError,
    Variant,
)
from service.retrieval.work import QUEUED, Progress, Work

log = logging.getLogger(__name__)

_NO_MATTER = Pass(-1)  # of no period of any breaker: what becomes of it does not count


class Retrieval:
    """One for each process. `load` comes first, `close` last; in between `answer` may be asked any number of times.

    stock, words: made of the truth; words only where an index cannot rank by words. breakers: by index.
    """

    def __init__(
        self,
        store: Store,
        indexes: Mapping[str, Index],
        models: Mapping[str, UserVectors],
        options: RetrievalOptions,
        *,
        rerankers: Mapping[str, Reranker] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """indexes, models, rerankers: what variants name; `weighted` and `none` are there anyway.

        Raises ConfigurationError, with all that does not fit together.
        """
        schema = store.schema
        self._rerankers = {"weighted": weighted(options.rerank), "none": as_retrieved} | dict(rerankers or {})
        self._indexes, self._models, self._options = indexes, models, options
        problems = options.problems(schema.engine)
        for name, variant in options.variants.items():
            for key, known in (("index", indexes), ("model", models), ("reranker", self._rerankers)):
                if (wanted := getattr(variant, key)) not in known:
                    problems.append(
                        f"variants.{name}.{key}: '{wanted}' is unknown (known: {', '.join(known)})"
                    )
        if problems:
            raise ConfigurationError([f"retrieval: {line}" for line in problems])
        self._schema: Schema = schema.engine
        self.stock = Stock(schema, options.popularity)
        without = any(not index.capabilities.text for index in indexes.values())
        self.words = WordIndex(schema, self.stock) if schema.texts and without else None
        projections: list[Projection] = [self.stock]
        if self.words is not None:
            projections.append(self.words)
        self._store = store
        self._in_step = InStep(store, projections)
        self._pipeline = Pipeline(self.stock, self._in_step, Shelf(store), options, clock)
        self._threads = Threads("retrieve", options.threads, options.queue, clock)
        # Of its own, so that an engine that hangs does not keep the fallback from its thread.
        self._spare = Threads("fallback", 2, options.queue, clock)
        self.breakers = {name: Breaker(options.breaker) for name in indexes}
        self._clock, self._now_ms = clock, now_ms

    def load(self) -> None:
        """Reads the truth; returns once everything acknowledged before the call can be found. Blocks."""
        self._in_step.catch_up()

    def facets(self, most: int) -> list[Facet]:
        """The values of each field, of which `most` are named. Blocks. Raises StoreError."""
        self._in_step.catch_up()
        return self.stock.facets(most)

    def close(self) -> None:
        """Returns once the calls under way have ended."""
        self._threads.close()
        self._spare.close()
        if self.words is not None:
            self.words.close()

    async def answer(self, request: Request, deadline: Deadline) -> Answer:
        """The answer, by `deadline`.

        Where the index fails, is late or has failed too often, what is popular (for a text: what holds its words)
        is answered instead, and says so. Raises InvalidRequestError and UnknownListingError for what is wrong with the
        request, StoreError where the truth cannot be read, OverloadedError and TimeoutError where not even the
        fallback came to its turn.
        """
        variant = self._accepted(request)
        if request.like is not None:
            request = replace(request, exclusions=replace(request.exclusions, itself=request.like))
        leave: Pass | None = _NO_MATTER
        if request.rank != "text" or self._indexes[variant.index].capabilities.text:
            leave = self.breakers[variant.index].ask(self._clock())
        why: Fallback = "open"
        tried: tuple[Took, ...] = ()
        if leave is not None:
            progress = Progress()
            answer, why = await self._attempted(request, variant, deadline, leave, progress)
            if answer is not None:
                return answer
            tried = progress.so_far()
        answer = await self._instead(request, deadline, why)
        return replace(answer, fallback=why, stages=tried + answer.stages)

    async def _attempted(
        self, request: Request, variant: Variant, deadline: Deadline, leave: Pass, progress: Progress
    ) -> tuple[Answer | None, Fallback]:
        """The answer in the index's part of the deadline, or why there is none. Tells the breaker how it went."""
        breaker, began = self.breakers[variant.index], self._clock()
        part = deadline.part(began, self._options.share)
        try:
            answer = await self._threads.run(part, self._serve, request, variant, part, progress)
        except IndexFailedError as error:
            log.warning("index %s failed: %s", variant.index, error)
            breaker.failed(leave, self._clock())
            return None, "failed"
        except TimeoutError:
            # Unless the truth or the words were slow, or a client left no time at all, the index was.
            if (
                progress.stage in (QUEUED, "retrieve", ENGINE)
                and self._clock() - began >= self._options.late_s
            ):
                breaker.failed(leave, self._clock())
            return None, "late"
        except OverloadedError:
            return None, "busy"
        else:
            if answer is not None:
                breaker.succeeded(leave)
            return answer, "unknown" if answer is None else ""
        finally:
            progress.gone = True
            breaker.given_up(leave)  # which changes nothing where it has been told already

    def _accepted(self, request: Request) -> Variant:
        """What serves a request. Raises InvalidRequestError with all that is wrong with it."""
        options = self._options
        problems = [f"where: {line}" for line in check(request.where, self._schema)]
        if not 1 <= request.k <= options.most:
            problems.append(f"k must be 1 to {options.most}, got {request.k}")
        if request.vector is not None:
            try:
                require_query(request.vector, self._schema)
            except EngineError as error:
                problems.append(f"vector: {error}")
        if request.rank != "dense" and not request.text:
            problems.append(f"text: rank {request.rank} needs one")
        if request.vector is None and request.user is None and request.like is None and not request.text:
            problems.append("nothing is asked for: give a vector, a user, a listing or a text")
        variant = options.variants.get(request.variant)
        if variant is None:
            problems.append(f"variant: '{request.variant}' is unknown (known: {', '.join(options.variants)})")
        else:
            index = self._indexes[variant.index]
            if request.mode == "exact" and not index.capabilities.exact:
                problems.append("mode: this index cannot be asked exactly; ask for approximate or auto")
            if request.rank != "dense" and not index.capabilities.text and self.words is None:
                problems.append("rank: the catalogue names no texts to search; rank dense")
        if problems or variant is None:
            raise InvalidRequestError(problems)
        return variant

    def _serve(self, request: Request, variant: Variant, part: Deadline, progress: Progress) -> Answer | None:
        """In a thread. None where nothing is known to ask the index with."""
        now_ms = self._now_ms()
        with progress.within("user"):
            encoded = self._encoded(request, variant, now_ms)
        source = self._source(request, variant, encoded.vector, progress, part)
        if source is None:
            return None
        index, mode = self._indexes[variant.index], request.mode if request.mode != "auto" else variant.mode
        exact = mode == "exact" or (mode == "auto" and self._pipeline.narrow(request.where))
        price = self._options.rerank.price
        paid = [] if price is None else [one[price] for one in encoded.attributes]
        prices = [float(one) for one in paid if isinstance(one, int | float)]
        work = Work(
            request,
            source,
            self._rerankers[variant.reranker],
            exact and index.capabilities.exact,
            index.capabilities.exact,
            # Half of its part: a search that begins later would hardly end in time, and what is found by then is kept.
            part.part(self._clock(), 0.5),
            progress,
            np.array(prices, np.float64),
            encoded.unused,
        )
        return self._pipeline.run(work, now_ms)

    def _encoded(self, request: Request, variant: Variant, now_ms: int) -> Encoded:
        model = self._models[variant.model]
        if request.rank == "text":
            return Encoded(None)
        if request.vector is not None:
            return Encoded(request.vector)
        if request.like is not None:
            listing = self._store.get([request.like]).get(request.like)
            if listing is None:
                raise UnknownListingError(request.like)
            return Encoded(model.of_listing(listing), (listing.attributes,))
        if request.user is not None:
            return model.of_user(request.user, now_ms)
        return Encoded(model.of_text(request.text))

    def _source(
        self,
        request: Request,
        variant: Variant,
        vector: Vectors | None,
        progress: Progress,
        deadline: Deadline,
    ) -> Source | None:
        index = self._indexes[variant.index]
        text: EngineText | OwnText | None = None
        if request.rank != "dense" and index.capabilities.text:
            assert isinstance(index, FullText)
            text = EngineText(index, request.text, progress)
        elif request.rank != "dense":
            text = self._own_words(request, progress, deadline)
        if request.rank == "text":
            return text
        if vector is None:
            return None
        dense = Dense(index, vector, self._schema.metric == "l2", progress)
        return dense if text is None else Fused(dense, text)

    def _own_words(self, request: Request, progress: Progress, deadline: Deadline) -> OwnText:
        assert self.words is not None  # or the request was not accepted
        stopped = lambda: progress.gone or deadline.passed(self._clock())  # noqa: E731
        return OwnText(self.words, request.text, progress, stopped)

    async def _instead(self, request: Request, deadline: Deadline, why: Fallback) -> Answer:
        progress = Progress()
        source: Source = Popular(self.stock)
        # Not after being late: it may have been the words that were.
        if request.rank != "dense" and self.words is not None and why != "late":
            source = self._own_words(request, progress, deadline)
        work = Work(request, source, as_retrieved, True, False, deadline, progress)
        try:
            return await self._spare.run(deadline, self._pipeline.run, work, self._now_ms())
        finally:
            progress.gone = True
