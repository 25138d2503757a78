"""Engines that are wrong, late or dead: each fault is planted, shown to be one, and found contained."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engines.base import EngineError, Hits
from engines.filters import Eq, Filter
from service.limits.breaker import BreakerOptions
from service.limits.deadline import Deadline
from service.limits.gate import OverloadedError
from service.retrieval.options import RetrievalOptions
from service.retrieval.values import Exclusions, InvalidRequestError, Request, Variant
from tests.unit.service.memory.truth import DIM, Truth, listings, matching
from tests.unit.service.retrieval.shop import Shop, brute_force, nearest, numbers

VECTOR = np.ones(DIM, np.float32)
ACME = Eq("brand", "acme")
PLAIN = {"default": Variant(reranker="none")}
Query = Callable[..., Hits]


class Faulty:
    """An engine of which some of the answers are replaced: `fault` is given the engine's own `query`."""

    def __init__(self, stored: Any, fault: Callable[..., Hits]) -> None:
        engine = brute_force(stored)
        self.capabilities, self.asked = engine.capabilities, 0
        self._query, self._fault = engine.query, fault

    def query(self, vector: Any, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        self.asked += 1
        return self._fault(self._query, vector, k, where, exact)


def ignores_the_filter(query: Query, vector: Any, k: int, where: Filter | None, exact: bool) -> Hits:
    return query(vector, k, None, exact=exact)


def raises(query: Query, *_: Any) -> Hits:
    raise EngineError("shard 3 is gone")


def faulty(fault: Callable[..., Hits], **options: Any) -> tuple[Shop, Faulty]:
    stored = listings(100)
    index = Faulty(stored, fault)
    return Shop(Truth(stored), index, RetrievalOptions(**{"variants": PLAIN, **options})), index


def test_an_engine_that_ignores_the_filter_is_corrected_and_told() -> None:
    shop, index = faulty(ignores_the_filter)
    stored = list(shop.truth.there.values())
    raw = index.query(VECTOR, 5, ACME).ids
    assert not matching([shop.truth.there[number] for number in raw], ACME).all()
    with shop:
        answer = shop.ask(Request(5, VECTOR, where=ACME, explain=True, relax=False))
    assert numbers(answer) == nearest(stored, VECTOR, ACME)[:5]
    wrong = answer.removed["changed"]
    assert wrong.count == len(wrong.numbers) > 0
    assert not matching([shop.truth.there[number] for number in wrong.numbers], ACME).any()


def test_removed_items_that_an_engine_still_returns_are_never_shown() -> None:
    shop, index = faulty(lambda query, vector, k, where, exact: query(vector, k, where, exact=exact))
    best = nearest(list(shop.truth.there.values()), VECTOR)
    with shop:
        assert numbers(shop.ask(Request(5, VECTOR))) == best[:5]
        shop.truth.remove(best[:3])
        assert set(best[:3]) <= set(index.query(VECTOR, 5).ids.tolist())  # type: ignore[union-attr]
        answer = shop.ask(Request(5, VECTOR, explain=True))
        assert numbers(answer) == best[3:8]
        assert set(answer.removed["sold"].numbers) == set(best[:3])


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda hits: Hits([*hits.ids, *hits.ids], [*hits.scores, *hits.scores]),
        lambda hits: Hits([10**9, *hits.ids], [1e9, *hits.scores]),
        lambda hits: Hits([3, *hits.ids], [np.nan, *hits.scores]),
    ],
)
def test_repeated_unknown_and_unscored_hits_do_no_harm(spoilt: Callable[[Hits], Hits]) -> None:
    shop, _ = faulty(lambda query, vector, k, where, exact: spoilt(query(vector, k, where, exact=exact)))
    with shop:
        answer = shop.ask(Request(5, VECTOR))
    assert numbers(answer) == nearest(list(shop.truth.there.values()), VECTOR)[:5]


def test_a_hit_that_is_repeated_counts_once_in_a_fusion() -> None:
    def repeats(query: Query, vector: Any, k: int, where: Filter | None, exact: bool) -> Hits:
        hits = query(vector, k, where, exact=exact)
        ids, scores = list(hits.ids), list(hits.scores)
        return Hits(ids + 3 * ids[-1:], scores + 3 * scores[-1:]) if faulted else hits

    faulted = False
    shop, _ = faulty(repeats)
    request = Request(5, VECTOR, rank="fused", text="red")
    with shop:
        right = numbers(shop.ask(request))
        faulted = True
        assert numbers(shop.ask(request)) == right


def test_an_answer_that_is_full_costs_one_question() -> None:
    shop, index = faulty(
        lambda query, vector, k, where, exact: query(vector, k, where, exact=exact), relax=("brand",)
    )
    with shop:
        assert len(shop.ask(Request(5, VECTOR, where=ACME)).hits) == 5
    assert index.asked == 1


def test_an_engine_that_raises_is_answered_for_and_then_left_alone() -> None:
    shop, index = faulty(raises, breaker=BreakerOptions(failures=3, pause_s=1000, longest_pause_s=1000))
    with shop:
        answers = [shop.ask(Request(5, VECTOR, where=ACME)) for _ in range(5)]
    assert [answer.fallback for answer in answers] == ["failed"] * 3 + ["open"] * 2
    assert index.asked == 3
    for answer in answers:
        assert len(answer.hits) == 5
        assert matching([hit.listing for hit in answer.hits], ACME).all()


def test_ids_without_scores_are_no_answer() -> None:
    shop, _ = faulty(lambda query, vector, k, where, exact: Hits([1, 2], [0.5]))
    with shop:
        assert shop.ask(Request(5, VECTOR)).fallback == "failed"


def test_an_engine_that_comes_back_is_asked_again() -> None:
    broken = [True]

    def fault(query: Query, vector: Any, k: int, where: Filter | None, exact: bool) -> Hits:
        if broken[0]:
            raise EngineError("down")
        return query(vector, k, where, exact=exact)

    shop, _ = faulty(fault, breaker=BreakerOptions(failures=1, pause_s=0.0))
    with shop:
        assert shop.ask(Request(5, VECTOR)).fallback == "failed"
        broken[0] = False
        assert shop.ask(Request(5, VECTOR)).fallback == ""
        assert shop.retrieval.breakers["live"].state == "closed"


class Stuck:
    """A fault: the engine answers no sooner than it is let."""

    def __init__(self) -> None:
        self.began, self.go = threading.Event(), threading.Event()

    def __call__(self, query: Query, vector: Any, k: int, where: Filter | None, exact: bool) -> Hits:
        self.began.set()
        assert self.go.wait(30)
        return query(vector, k, where, exact=exact)


def test_an_engine_that_is_late_leaves_time_for_the_fallback() -> None:
    stuck = Stuck()
    shop, _ = faulty(stuck, share=0.02, late_s=0.01, breaker=BreakerOptions(failures=2, pause_s=1000))
    with shop:
        began = time.monotonic()
        answers = [shop.ask(Request(5, VECTOR), budget_s=20.0) for _ in range(3)]
        assert time.monotonic() - began < 20.0
        assert [answer.fallback for answer in answers] == ["late", "late", "open"]
        # Where the time went is told of the attempt, too; no index was asked for the last.
        late, _, left_alone = (answer.stages_ms for answer in answers)
        assert max(late, key=lambda stage: late[stage]) == "engine"
        assert "engine" not in left_alone
        assert all(len(answer.hits) == 5 for answer in answers)
        stuck.go.set()


def test_words_that_are_late_are_given_up_and_no_fault_of_the_engine() -> None:
    """Every listing holds the word, and as much as is looked at once is more than there is time for."""
    shop, index = faulty(
        lambda query, vector, k, where, exact: query(vector, k, where, exact=exact),
        share=0.02, late_s=0.0, breaker=BreakerOptions(failures=1, pause_s=1000),
    )  # fmt: skip
    held = threading.Event()
    with shop:
        words = shop.retrieval.words
        assert words is not None
        found, given_up = words._found, []

        def slow(question: str, limit: int, stopped: Callable[[], bool]) -> list[tuple[int, float]]:
            while not stopped():
                held.wait(0.001)
            given_up.append(True)
            raise TimeoutError

        words._found = slow  # type: ignore[method-assign]
        answers = [shop.ask(Request(5, VECTOR, rank=rank, text="red"), 20.0) for rank in ("text", "fused")]
        words._found = found  # type: ignore[method-assign]
        assert [(answer.fallback, answer.words, len(answer.hits)) for answer in answers] == [
            ("late", None, 5)
        ] * 2
        assert shop.retrieval.breakers["live"].state == "closed"
    assert given_up == [True, True]
    assert index.asked == 1


def test_a_client_that_gives_no_time_does_not_open_the_breaker() -> None:
    stuck = Stuck()
    shop, _ = faulty(stuck, share=0.01, late_s=1000.0, breaker=BreakerOptions(failures=1, pause_s=1000))
    with shop:
        assert shop.ask(Request(5, VECTOR), budget_s=3.0).fallback == "late"
        assert shop.retrieval.breakers["live"].state == "closed"
        stuck.go.set()


def test_a_request_that_is_gone_is_not_begun_and_the_loop_is_never_blocked() -> None:
    stuck = Stuck()
    shop, index = faulty(stuck, threads=1)

    async def scene() -> None:
        deadline = Deadline.after(time.monotonic(), 30)
        first = asyncio.create_task(shop.retrieval.answer(Request(1, VECTOR), deadline))
        await asyncio.to_thread(stuck.began.wait, 30)
        gone = asyncio.create_task(shop.retrieval.answer(Request(2, VECTOR), deadline))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        stuck.go.set()
        assert len((await first).hits) == 1

    with shop:
        asyncio.run(scene())
    assert index.asked == 1


def test_a_request_that_is_gone_is_not_searched_for_again() -> None:
    """A rule leaves nothing, so that more and more candidates would be asked for."""
    stuck = Stuck()
    shop, index = faulty(stuck, oversample=1.0)
    everything = Exclusions(blocked_sellers=frozenset({"s0", "s1", "s2"}))

    async def scene() -> None:
        deadline = Deadline.after(time.monotonic(), 30)
        task = asyncio.create_task(shop.retrieval.answer(Request(1, VECTOR, exclusions=everything), deadline))
        await asyncio.to_thread(stuck.began.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        stuck.go.set()

    with shop:
        asyncio.run(scene())
    assert index.asked == 1
    shop, index = faulty(stuck, oversample=1.0)
    with shop:  # the twin stays
        assert shop.ask(Request(1, VECTOR, exclusions=everything)).short == "matches"
    assert index.asked > 1


def test_where_every_thread_is_taken_the_fallback_has_its_own() -> None:
    stuck = Stuck()
    shop, _ = faulty(stuck, threads=1, queue=0)

    async def scene() -> None:
        deadline = Deadline.after(time.monotonic(), 30)
        first = asyncio.create_task(shop.retrieval.answer(Request(1, VECTOR), deadline))
        await asyncio.to_thread(stuck.began.wait, 30)
        assert (await shop.retrieval.answer(Request(1, VECTOR), deadline)).fallback == "busy"
        stuck.go.set()
        assert (await first).fallback == ""

    with shop:
        asyncio.run(scene())


def test_a_wrong_request_is_no_failure_of_the_engine() -> None:
    shop, index = faulty(raises, breaker=BreakerOptions(failures=1))
    wrong = Request(
        0, np.full(DIM - 1, np.nan, np.float32), where=Eq("colour", "red"), rank="text", variant="x"
    )
    with shop, pytest.raises(InvalidRequestError) as caught:
        shop.ask(wrong)
    assert len(caught.value.problems) == 5
    assert index.asked == 0
    assert shop.retrieval.breakers["live"].state == "closed"


def test_overload_is_told_where_not_even_the_fallback_has_room() -> None:
    shop, _ = faulty(raises, queue=0)
    held = threading.Event()

    async def scene() -> None:
        deadline = Deadline.after(time.monotonic(), 30)
        spare = shop.retrieval._spare
        taken = [asyncio.create_task(spare.run(deadline, held.wait, 30)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await shop.retrieval.answer(Request(1, VECTOR), deadline)
        held.set()
        await asyncio.gather(*taken)

    with shop:
        asyncio.run(scene())
