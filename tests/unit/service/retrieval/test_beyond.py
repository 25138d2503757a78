"""A filter that an engine cannot express is told to who asks; the engine is not blamed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engines.base import EngineError, Hits, UnsupportedError
from engines.filters import Eq, Filter, Range
from service.limits.breaker import BreakerOptions
from service.retrieval.options import RetrievalOptions
from service.retrieval.values import InvalidRequestError, Request
from tests.unit.service.memory.truth import DIM, Truth, listings
from tests.unit.service.retrieval.shop import Shop, brute_force

VECTOR = np.ones(DIM, np.float32)
BEYOND = Range("size", gte=2**60 + 3)


class Limited:
    """An engine that takes no range; it raises what `error` makes."""

    def __init__(self, error: Callable[[str], Exception]) -> None:
        engine = brute_force(listings(100))
        self.capabilities, self._query, self._error = engine.capabilities, engine.query, error

    def query(self, vector: Any, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        if isinstance(where, Range):
            raise self._error("it takes no such bound")
        return self._query(vector, k, where, exact=exact)


def shop(error: Callable[[str], Exception]) -> Shop:
    breaker = BreakerOptions(window=4, failures=2, pause_s=60, longest_pause_s=60)
    return Shop(Truth(listings(100)), Limited(error), RetrievalOptions(breaker=breaker))


def test_it_is_refused_and_others_are_served_on() -> None:
    with shop(UnsupportedError) as asked:
        for _ in range(6):
            with pytest.raises(
                InvalidRequestError, match="where: it takes no such bound; ask with other values"
            ):
                asked.ask(Request(5, VECTOR, where=BEYOND))
        assert asked.ask(Request(5, VECTOR, where=Eq("brand", "acme"))).fallback == ""


def test_a_failure_of_the_engine_stays_one() -> None:
    with shop(EngineError) as asked:
        told = [asked.ask(Request(5, VECTOR, where=BEYOND)).fallback for _ in range(6)]
        assert told[0] == "failed"
        assert told[-1] == "open"
        assert asked.ask(Request(5, VECTOR, where=Eq("brand", "acme"))).fallback == "open"
