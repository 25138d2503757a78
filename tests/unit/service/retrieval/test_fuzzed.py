"""Random shops and requests against the oracle: whatever an answer says of itself is so."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.filters import And, Eq, Filter, In, Not, Or, Range
from service.catalogue.listing import Listing
from service.retrieval.options import RetrievalOptions
from service.retrieval.relaxing import conditions, fields, relaxations
from service.retrieval.values import Answer, Exclusions, Request, Variant
from tests.unit.service.memory.truth import BRANDS, DIM, SELLERS, SIZES, Truth, listings, matching
from tests.unit.service.retrieval.shop import Shop, brute_force, faiss, nearest, numbers

PRICES = st.sampled_from([0, 1, 20, 50.5, 80, 100, 1e300, -5])
LEAVES: st.SearchStrategy[Filter] = st.one_of(
    st.builds(Eq, st.just("brand"), st.sampled_from([*BRANDS, "none"])),
    st.builds(In, st.just("brand"), st.lists(st.sampled_from(BRANDS), max_size=3).map(tuple)),
    st.builds(Eq, st.just("size"), st.sampled_from([*SIZES, 2**53])),
    st.builds(Eq, st.just("new"), st.booleans()),
    st.builds(
        lambda low, high: Range("price", gte=low, lt=high), PRICES, PRICES
    ),
    st.builds(lambda bound: Range("price", lte=bound), PRICES),
    st.builds(lambda bound: Range("size", gt=bound), st.sampled_from([36, 39.5, 2**53])),
)  # fmt: skip
FILTERS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=5,
)
IDS = st.frozensets(st.integers(0, 79).map(lambda number: f"id-{number}"), max_size=8)
EXCLUSIONS = st.builds(
    Exclusions, seen=IDS, own=IDS, blocked=IDS,
    blocked_sellers=st.frozensets(st.sampled_from(SELLERS), max_size=1), seller=st.sampled_from([None, *SELLERS]),
)  # fmt: skip
ORDERS = st.permutations(["price", "brand", "size", "new"]).flatmap(
    lambda names: st.integers(0, 4).map(lambda most: tuple(names[:most]))
)
VARIANTS = {"default": Variant(), "plain": Variant(reranker="none")}
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Listing], list[int], RetrievalOptions, Request]:
    """A shop, which of it has been sold since it was indexed, how it is set up, and a request."""
    stored = listings(draw(st.integers(0, 80)), draw(st.integers(0, 5)))
    sold = draw(st.lists(st.integers(0, max(0, len(stored) - 1)), unique=True, max_size=20)) if stored else []
    options = RetrievalOptions(
        relax=draw(ORDERS), a_seller=draw(st.sampled_from([None, 1, 3])), a_brand=draw(st.sampled_from([None, 2])),
        exact_below=draw(st.sampled_from([0, 30, 3000])), popularity="taken", variants=VARIANTS,
        oversample=draw(st.sampled_from([1.0, 2.0])),
    )  # fmt: skip
    request = Request(
        k=draw(st.integers(1, 15)), where=draw(st.none() | FILTERS), relax=draw(st.booleans()),
        mode=draw(st.sampled_from(["approximate", "exact", "auto"])), exclusions=draw(EXCLUSIONS),
        variant=draw(st.sampled_from(list(VARIANTS))), explain=draw(st.booleans()),
        vector=np.random.default_rng(draw(st.integers(0, 9))).standard_normal(DIM).astype(np.float32),
        rank=draw(st.sampled_from(["dense", "dense", "text", "fused"])), text="red wool",
    )  # fmt: skip
    return stored, sold, options, request


def refused(listing: Listing, exclusions: Exclusions) -> bool:
    named = exclusions.seen | exclusions.own | exclusions.blocked
    return (
        listing.id in named
        or listing.seller in exclusions.blocked_sellers
        or listing.seller == exclusions.seller
    )


def require_honest(answer: Answer, truth: Truth, options: RetrievalOptions, request: Request) -> None:
    """No hit breaks the filter, the rules, or the relaxation that the answer names."""
    found = [hit.listing for hit in answer.hits]
    assert len({listing.number for listing in found}) == len(found) <= request.k
    assert (answer.short is None) == (len(found) == request.k)
    assert all(truth.there[listing.number] == listing for listing in found)  # so it is on sale
    assert not any(refused(listing, request.exclusions) for listing in found)
    for most, names in (
        (options.a_seller, [listing.seller for listing in found]),
        (options.a_brand, [listing.attributes["brand"] for listing in found]),
    ):
        assert most is None or max(Counter(names).values(), default=0) <= most
    widest = answer.relaxed[-1].where if answer.relaxed else request.where
    assert matching(found, widest).all()
    assert request.relax or not answer.relaxed
    assert {step.field for step in answer.relaxed} <= set(options.relax)
    strict = matching(found, request.where).tolist()
    assert strict == sorted(strict, reverse=True)  # those that match come first
    for hit in answer.hits:
        unmet = [part for part in conditions(request.where) if not matching([hit.listing], part)[0]]
        assert set(hit.beyond) == {name for part in unmet for name in fields(part)}


def greedy(order: list[int], truth: Truth, options: RetrievalOptions, request: Request) -> list[int]:
    """What the rules leave of the oracle's order, written down a second time."""
    sellers: Counter[str | None] = Counter()
    brands: Counter[str] = Counter()
    chosen: list[int] = []
    for number in order:
        listing = truth.there[number]
        brand = str(listing.attributes["brand"])
        full = (options.a_seller or 10**9) <= sellers[listing.seller] or (options.a_brand or 10**9) <= brands[
            brand
        ]
        if len(chosen) < request.k and not full and not refused(listing, request.exclusions):
            chosen.append(number)
            sellers[listing.seller] += 1
            brands[brand] += 1
    return chosen


@pytest.mark.parametrize("engine", ["bruteforce", "faiss"])
@QUICK
@given(scene=scenes())
def test_no_hit_breaks_the_filter_the_rules_or_the_relaxation_named(
    engine: str, tmp_path: Path, scene: tuple[list[Listing], list[int], RetrievalOptions, Request]
) -> None:
    stored, sold, options, request = scene
    truth = Truth(stored)
    index = brute_force(stored) if engine == "bruteforce" else faiss(stored, tmp_path / "index")
    truth.remove(sold)  # which the index does not know
    with Shop(truth, index, options) as shop:
        answer = shop.ask(request)
    assert answer.fallback == ""
    require_honest(answer, truth, options, request)
    if answer.short and request.rank == "dense" and options.a_seller is options.a_brand is None:
        # Nothing that may be shown is held back: not before the filter is as wide as it may be.
        left = [one for one in truth.there.values() if not refused(one, request.exclusions)]
        widest = request.where
        if request.relax:
            steps = relaxations(request.where, options.relax, options.widen)
            widest = steps[-1].where if steps else request.where
        assert len(answer.hits) == np.count_nonzero(matching(left, widest))


@pytest.mark.parametrize("engine", ["bruteforce", "faiss"])
@QUICK
@given(scene=scenes())
def test_exact_mode_is_the_oracle_with_the_rules_applied(
    engine: str, tmp_path: Path, scene: tuple[list[Listing], list[int], RetrievalOptions, Request]
) -> None:
    stored, sold, options, request = scene
    request = Request(
        request.k, request.vector, where=request.where, mode="exact", relax=False, variant="plain",
        exclusions=request.exclusions,
    )  # fmt: skip
    truth = Truth(stored)
    index = brute_force(stored) if engine == "bruteforce" else faiss(stored, tmp_path / "index")
    truth.remove(sold)
    with Shop(truth, index, options) as shop:
        answer = shop.ask(request)
    order = nearest(list(truth.there.values()), request.vector, request.where)
    assert answer.mode == "exact"
    assert numbers(answer) == greedy(order, truth, options, request)


class Dead:
    """An index that does not answer."""

    def __init__(self, index: object) -> None:
        self.capabilities = index.capabilities  # type: ignore[attr-defined]

    def query(self, *_: object, **__: object) -> None:
        raise ConnectionRefusedError


@QUICK
@given(scene=scenes())
def test_fallback_serves_what_is_popular_within_the_filter_and_nothing_sold(
    scene: tuple[list[Listing], list[int], RetrievalOptions, Request],
) -> None:
    stored, sold, options, request = scene
    request = Request(
        request.k, request.vector, where=request.where, relax=request.relax, exclusions=request.exclusions
    )
    truth = Truth(stored)
    truth.remove(sold)
    with Shop(truth, Dead(brute_force(stored)), options) as shop:  # type: ignore[arg-type]
        answer = shop.ask(request)
    assert answer.fallback == "failed"
    require_honest(answer, truth, options, request)
    there = list(truth.there.values())
    there = [there[row] for row in np.flatnonzero(matching(there, request.where))]
    there.sort(key=lambda one: (-int(one.attributes["taken"]), -one.listed_at_ms, one.number))
    popular = greedy([one.number for one in there], truth, options, request)
    assert numbers(answer)[: len(popular)] == popular
