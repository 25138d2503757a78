"""What a request may ask for, and what its answer says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Hits
from engines.filters import And, Eq, Range
from engines.values.fusion import fused
from harness.errors import ConfigurationError
from service.catalogue.listing import Fields, Put, Remove
from service.catalogue.opening import open_store
from service.limits.breaker import BreakerOptions
from service.retrieval.options import RerankOptions, RetrievalOptions
from service.retrieval.reranking import Ranked
from service.retrieval.retrieval import Retrieval
from service.retrieval.users import UserVectors
from service.retrieval.values import (
    Exclusions,
    InvalidRequestError,
    Place,
    Request,
    Taken,
    UnknownListingError,
    User,
    Variant,
)
from tests.unit.service.memory.truth import DIM, SCHEMA, Truth, listings
from tests.unit.service.retrieval.shop import Shop, brute_force, nearest, numbers, shop

VECTOR = np.ones(DIM, np.float32)
PLAIN = {"default": Variant(reranker="none")}
ACME = Eq("brand", "acme")


def stored_of(shop: Shop) -> list[Any]:
    return list(shop.truth.there.values())


def test_a_filter_that_matches_enough_is_not_touched() -> None:
    with shop(relax=("brand",), variants=PLAIN) as made:
        answer = made.ask(Request(5, VECTOR, where=ACME))
        assert numbers(answer) == nearest(stored_of(made), VECTOR, ACME)[:5]
    assert (answer.relaxed, answer.short, answer.fallback, answer.removed) == ((), None, "", {})
    stages = ["queued", "user", "truth", "engine", "retrieve", "rerank", "rules", "show"]
    assert [one.stage for one in answer.stages] == list(answer.stages_ms) == stages
    taken = answer.stages_ms
    assert 0 < taken["engine"] < taken["retrieve"]


def test_a_narrow_filter_is_widened_in_order_and_says_so() -> None:
    narrow = And((ACME, Range("price", gte=40.0, lte=44.0)))
    with shop(relax=("price", "brand"), variants=PLAIN) as made:
        strict = nearest(stored_of(made), VECTOR, narrow)
        wider = nearest(stored_of(made), VECTOR, And((ACME, Range("price", gte=39.0, lte=45.0))))
        acme = nearest(stored_of(made), VECTOR, ACME)
        assert 0 < len(strict) <= len(wider) < 10 < len(acme)
        answer = made.ask(Request(10, VECTOR, where=narrow))
        short = made.ask(Request(10, VECTOR, where=narrow, relax=False))
    assert [(step.field, step.how) for step in answer.relaxed] == [("price", "widened"), ("price", "dropped")]
    then = [number for number in [*wider, *acme] if number not in strict]
    assert numbers(answer) == (strict + list(dict.fromkeys(then)))[:10]
    assert [hit.beyond for hit in answer.hits] == [()] * len(strict) + [("price",)] * (10 - len(strict))
    assert (numbers(short), short.short, short.relaxed) == (strict, "matches", ())


def test_what_is_only_asked_for_relaxed_names_no_step_that_gave_nothing() -> None:
    with shop(relax=("new", "brand")) as made:
        answer = made.ask(Request(3, VECTOR, where=And((Eq("brand", "none"), Eq("new", True)))))
        assert [(step.field, step.how) for step in answer.relaxed] == [
            ("new", "dropped"),
            ("brand", "dropped"),
        ]
        nothing = made.ask(Request(3, VECTOR, where=And((Eq("size", 1), Eq("new", True)))))
    assert (nothing.hits, nothing.relaxed, nothing.short) == ((), (), "matches")


@pytest.mark.parametrize(
    ("mode", "own", "below", "asked"),
    [
        ("auto", "auto", 100, True), ("auto", "auto", 0, False), ("exact", "auto", 0, True),
        ("approximate", "auto", 100, False), ("auto", "exact", 0, True), ("approximate", "exact", 0, False),
    ],
)  # fmt: skip
def test_auto_asks_exactly_where_few_match(mode: Any, own: Any, below: int, asked: bool) -> None:
    seen: list[bool] = []
    stored = listings(100)
    index = brute_force(stored)

    class Watched:
        capabilities = index.capabilities

        def query(self, *given: Any, exact: bool) -> Hits:
            seen.append(exact)
            return index.query(*given)

    options = RetrievalOptions(exact_below=below, variants={"default": Variant(mode=own)})
    with Shop(Truth(stored), Watched(), options) as made:
        answer = made.ask(Request(5, VECTOR, mode=mode))
    assert seen == [asked]
    assert answer.mode == ("exact" if asked else "approximate")


def test_an_index_that_cannot_be_asked_exactly_is_not() -> None:
    stored = listings(100)
    index = brute_force(stored)
    index.capabilities = replace(index.capabilities, exact=False)
    with Shop(Truth(stored), index) as made:
        assert made.ask(Request(5, VECTOR, where=ACME)).mode == "approximate"
        with pytest.raises(InvalidRequestError, match="cannot be asked exactly"):
            made.ask(Request(5, VECTOR, mode="exact"))


def test_an_approximate_search_that_misses_matches_is_proved_by_an_exact_one() -> None:
    stored = listings(100)
    engine = brute_force(stored)

    class Forgetful:
        capabilities = engine.capabilities

        def query(self, vector: Any, k: int, where: Any, *, exact: bool) -> Hits:
            hits = engine.query(vector, k, where)
            return hits if exact else Hits(hits.ids[:2], hits.scores[:2])

    with Shop(
        Truth(stored), Forgetful(), RetrievalOptions(exact_below=0, relax=("brand",), variants=PLAIN)
    ) as made:
        answer = made.ask(Request(5, VECTOR, where=ACME))
    assert numbers(answer) == nearest(stored, VECTOR, ACME)[:5]
    assert (answer.mode, answer.relaxed) == ("exact", ())


def test_what_changes_while_a_request_is_worked_on_is_shown_only_if_it_still_matches() -> None:
    """The shelf reads a later version than the one that was judged."""

    class Later(Truth):
        def by_number(self, numbers: Any) -> Any:
            listings = super().by_number(numbers)
            if not self.late:
                return listings
            changed = {"brand": "é", "price": 5.0}
            return {
                n: replace(one, version=2, attributes=one.attributes | changed) for n, one in listings.items()
            }

    Later.late = False  # type: ignore[attr-defined]
    stored = listings(100)
    with Shop(Later(stored), brute_force(stored), RetrievalOptions(variants=PLAIN)) as made:
        Later.late = True  # type: ignore[attr-defined]
        gone = made.ask(Request(5, VECTOR, where=ACME))
        kept = made.ask(Request(5, VECTOR, where=Range("price", lt=50)))
    assert (gone.hits, gone.removed["changed"].count, gone.short) == ((), 5, "matches")
    assert [hit.listing.version for hit in kept.hits] == [2] * 5


def test_what_is_sold_while_a_request_is_worked_on_is_not_shown() -> None:
    with shop(variants=PLAIN) as made:
        sold = nearest(stored_of(made), VECTOR)[1]
        del made.truth.there[sold]  # of which the outbox says nothing yet
        answer = made.ask(Request(5, VECTOR, explain=True))
    assert (len(answer.hits), answer.removed["sold"].numbers) == (4, (sold,))
    assert sold not in numbers(answer)


def test_rules_are_named_with_what_they_removed() -> None:
    with shop(a_seller=2, variants=PLAIN) as made:
        best = [made.truth.there[number] for number in nearest(stored_of(made), VECTOR)]
        mine = next(one for one in best[3:] if one.seller != best[0].seller)
        given = Exclusions(
            seen=frozenset({best[0].id}), own=frozenset({best[1].id}), blocked=frozenset({best[2].id}),
            seller=mine.seller,
        )  # fmt: skip
        answer = made.ask(Request(4, VECTOR, exclusions=given, explain=True))
    removed = {rule: what.numbers for rule, what in answer.removed.items()}
    assert best[0].number in removed["seen"]
    assert best[1].number in removed["own"]
    assert mine.number in removed["own"]
    assert len(removed["seller"]) > 0
    assert all(what.count == len(what.numbers) for what in answer.removed.values())


def test_rules_that_leave_too_few_of_the_most_candidates_say_so() -> None:
    with shop(a_seller=1, most=20, exact_below=0) as made:
        answer = made.ask(Request(5, VECTOR))
    assert len(answer.hits) == 3
    assert answer.short == "candidates"
    # Widening a filter that is not narrow would be no help, and show what was not asked for.
    with shop(a_seller=1, most=20, exact_below=0, relax=("new",)) as made:
        answer = made.ask(Request(5, VECTOR, where=Eq("new", True)))
    assert (answer.short, answer.relaxed) == ("candidates", ())


@pytest.mark.parametrize(("price", "popularity"), [("price", "taken"), ("worn", "worn")])  # not all have it
def test_explanations_add_up(price: str, popularity: str) -> None:
    options = {"rerank": RerankOptions(price=price), "popularity": popularity}
    user = User((Taken("id-3"), Taken("id-4"), Taken("gone")))
    with shop(**options) as made:
        answer = made.ask(Request(5, user=user, rank="fused", text="red wool", explain=True))
        plain = made.ask(Request(5, user=user, rank="fused", text="red wool"))
    assert numbers(answer) == numbers(plain)
    assert answer.unused == {"history, not there": 1}
    assert answer.words == "service"
    assert all(hit.explained is None for hit in plain.hits)
    for hit in answer.hits:
        assert hit.explained is not None
        assert sum(hit.explained.reranked.values()) == pytest.approx(hit.score)
        assert hit.explained.reranked.keys() == {"affinity", "freshness", "price_fit"}
        places = hit.explained.retrieved
        parts = [1 / (60 + place.rank) for name, place in places.items() if name in ("dense", "text")]
        assert places["fused"].score == pytest.approx(sum(parts))
    assert [hit.explained.rank for hit in answer.hits if hit.explained] == sorted(
        hit.explained.rank for hit in answer.hits if hit.explained
    )


def test_fused_is_the_fusion_of_both_rankings() -> None:
    with shop(variants=PLAIN, oversample=4) as made:
        answers = {
            rank: made.ask(Request(5, VECTOR, rank=rank, text="red wool", explain=True))
            for rank in ("dense", "text", "fused")
        }
        dense = nearest(stored_of(made), VECTOR)[:20]
        words = made.retrieval.words
        assert words is not None
        both = fused([Hits(dense, dense), words.match("red wool", 20)], 40)
    assert numbers(answers["fused"]) == both.ids[:5]
    assert numbers(answers["dense"]) == dense[:5]
    assert answers["text"].hits[0].explained is not None
    assert answers["text"].hits[0].explained.retrieved["text"].rank == 1
    assert {rank: answer.words for rank, answer in answers.items()} == {
        "dense": None, "text": "service", "fused": "service",
    }  # fmt: skip


def test_an_engine_that_ranks_by_words_is_asked_for_them() -> None:
    stored = listings(50)
    engine = brute_force(stored)

    class Lexical:
        capabilities = replace(engine.capabilities, text=True)
        query = engine.query

        def match(self, text: str, k: int, where: Any = None) -> Hits:
            assert text == "wool"
            return Hits([4, 2], [3.0, 1.0])

    with Shop(Truth(stored), Lexical(), RetrievalOptions(variants=PLAIN)) as made:
        answer = made.ask(Request(5, rank="text", text="wool", explain=True))
        assert made.retrieval.words is None
    assert numbers(answer) == [4, 2]
    assert answer.words == "engine"
    assert answer.hits[1].explained is not None
    assert answer.hits[1].explained.retrieved == {"text": Place(2, 1.0)}


def test_an_engine_that_fails_to_rank_by_words_is_answered_for() -> None:
    stored = listings(50)
    engine = brute_force(stored)

    class Lexical:
        capabilities = replace(engine.capabilities, text=True)
        query = engine.query

        def match(self, text: str, k: int, where: Any = None) -> Hits:
            raise ConnectionResetError

    with Shop(Truth(stored), Lexical()) as made:
        answer = made.ask(Request(5, rank="text", text="wool"))
    assert (answer.fallback, answer.words, len(answer.hits)) == ("failed", None, 5)


def test_a_text_alone_has_a_vector_only_with_a_model_that_reads_text() -> None:
    with shop() as made, pytest.raises(InvalidRequestError, match="no model here makes vectors of text"):
        made.ask(Request(5, text="wool"))


def test_words_are_found_although_the_engine_is_down() -> None:
    stored = listings(50)

    class Dead:
        capabilities = brute_force(stored).capabilities

        def query(self, *_: Any, **__: Any) -> Hits:
            raise ConnectionResetError

    options = RetrievalOptions(breaker=BreakerOptions(failures=1, pause_s=1000), popularity="taken")
    with Shop(Truth(stored), Dead(), options) as made:
        mixed = made.ask(Request(5, VECTOR, rank="fused", text="wool"))
        alone = made.ask(Request(5, rank="text", text="wool"))
    assert (mixed.fallback, mixed.words) == ("failed", "service")
    assert (alone.fallback, alone.words) == ("", "service")
    for answer in (mixed, alone):
        assert all("wool" in hit.listing.details["title"] for hit in answer.hits)


def test_similar_listings_are_near_and_not_the_listing_itself() -> None:
    with shop(variants=PLAIN) as made:
        like = made.truth.there[7]
        answer = made.ask(Request(5, like="id-7"))
        near = [number for number in nearest(stored_of(made), like.vector) if number != 7]
        assert numbers(answer) == near[:5]
        with pytest.raises(UnknownListingError, match="there is no listing 'gone'"):
            made.ask(Request(5, like="gone"))
        assert made.retrieval.breakers["live"].state == "closed"


def test_of_whom_nothing_is_known_gets_what_is_popular() -> None:
    with shop(popularity="taken") as made:
        answer = made.ask(Request(5, user=User((Taken("gone"),))))
    assert answer.fallback == "unknown"
    taken = [int(hit.listing.attributes["taken"]) for hit in answer.hits]
    assert taken == sorted(taken, reverse=True)


def test_a_variant_names_index_model_mode_and_reranker() -> None:
    stored = listings(60)
    calls: list[str] = []

    def backwards(candidates: Any, context: Any) -> Ranked:
        calls.append("backwards")
        return Ranked(-context.scores, {})

    other = brute_force(stored[:10])
    variants = PLAIN | {"other": Variant("small", "live", "exact", "backwards")}
    truth = Truth(stored)
    retrieval = Retrieval(
        truth, {"live": brute_force(stored), "small": other},  # type: ignore[arg-type]
        {"live": UserVectors(truth, SCHEMA.engine)}, RetrievalOptions(variants=variants),  # type: ignore[arg-type]
        rerankers={"backwards": backwards},
    )  # fmt: skip
    made = Shop(truth, other)
    made.retrieval.close()
    made.retrieval = retrieval
    with made:
        assert numbers(made.ask(Request(3, VECTOR))) == nearest(stored, VECTOR)[:3]
        answer = made.ask(Request(3, VECTOR, variant="other"))
    assert numbers(answer) == nearest(stored[:10], VECTOR)[:6][::-1][:3]
    assert (answer.variant, answer.mode, calls) == ("other", "exact", ["backwards"])


def test_what_does_not_fit_together_is_told_all_at_once() -> None:
    options = RetrievalOptions(
        relax=("colour",),
        popularity="brand",
        rerank=RerankOptions(price="cost"),
        variants={"x": Variant("y", "z", "auto", "w")},
    )
    with pytest.raises(ConfigurationError) as caught:
        Shop(Truth([]), brute_force([]), options)
    assert len(caught.value.problems) == 7
    assert caught.value.problems[0].startswith("retrieval: relax: no field 'colour' (there are: brand, size")


def test_with_a_store_a_sold_listing_is_gone_with_the_next_answer(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "truth.sqlite"), SCHEMA)
    stored = listings(30)
    store.write([Put(one.id, Fields(one.attributes, one.details, one.vector, one.model)) for one in stored])
    retrieval = Retrieval(
        store,
        {"live": brute_force(stored)},
        {"live": UserVectors(store, SCHEMA.engine)},
        RetrievalOptions(variants=PLAIN),
    )
    made = Shop(Truth([]), brute_force([]))
    made.retrieval.close()
    made.retrieval = retrieval
    with made:
        best = nearest(stored, VECTOR)
        assert numbers(made.ask(Request(3, VECTOR))) == best[:3]
        store.write([Remove(stored[best[0]].id)])
        assert numbers(made.ask(Request(3, VECTOR))) == best[1:4]
    store.close()
