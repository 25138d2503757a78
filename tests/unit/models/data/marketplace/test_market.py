"""The simulated marketplace as a whole: what never happens, what must come out, and that there is much to learn."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from harness.errors import ConfigurationError
from models.data.items import Categories
from models.data.marketplace.market import Market, make_market
from models.data.marketplace.options import MarketplaceOptions, UtilityWeights
from models.data.marketplace.sizes import NEVER
from models.data.marketplace.stock import DAY_MS

SMALL = MarketplaceOptions(listings=400, users=200, interactions=1_500, days=10, refresh_hours=24)


def impossible(market: Market) -> list[str]:
    """What a market shows that cannot be."""
    taken, truth = market.interactions, market.truth
    times, stock, shoppers = taken.times_ms, truth.wants.stock, truth.wants.shoppers
    assert times is not None
    event = np.array(market.events.words)[market.events.codes]
    bought = event == "purchase"
    sold_ms = np.full(len(market.items), np.iinfo(np.int64).max)
    np.minimum.at(sold_ms, taken.items[bought], times[bought])
    steps = truth.wants.sizes.steps[shoppers.build[taken.users], stock.size[taken.items]]
    pairs = (taken.users.astype(np.int64) * len(market.items) + taken.items)[event == "favourite"]
    end_ms = market.options.start_ms + (market.options.days + 1) * DAY_MS
    found = {
        "before it was listed": times < stock.listed_ms[taken.items],
        "after it was sold": (times > sold_ms[taken.items]) | ((times == sold_ms[taken.items]) & ~bought),
        "after it was withdrawn": times
        > stock.listed_ms[taken.items] + market.options.lifetime_days * DAY_MS,
        "bought twice": np.bincount(taken.items[bought], minlength=1) > 1,
        "does not fit": steps >= NEVER,
        "before the user joined": times < shoppers.joined_ms[taken.users],
        "out of order": np.diff(times) < 0,
        "outside the days": (times < market.options.start_ms) | (times > end_ms),
        "favourite twice": np.unique(pairs, return_counts=True)[1] > 1,
    }
    return [name for name, faults in found.items() if faults.any()]


def altered(market: Market, row: int, **changes: int) -> Market:
    """The market with one event changed."""
    columns = {name: np.array(getattr(market.interactions, name)) for name in ("users", "items", "times_ms")}
    codes = market.events.codes.copy()
    for name, value in changes.items():
        (codes if name == "event" else columns[name])[row] = value
    return replace(
        market,
        interactions=replace(market.interactions, **columns),
        events=Categories(codes, market.events.words),
    )


def test_nothing_impossible_happens(market: Market) -> None:
    assert impossible(market) == []


def test_what_is_impossible_would_be_noticed(market: Market) -> None:
    taken, wants = market.interactions, market.truth.wants
    assert taken.times_ms is not None
    times, words = taken.times_ms, market.events.words
    favourite, purchase = words.index("favourite"), words.index("purchase")
    sales = np.flatnonzero(market.events.codes == purchase)
    sale = int(sales[len(sales) // 2])
    item = int(taken.items[sale])
    marked = np.flatnonzero(market.events.codes == favourite)[-1]
    steps = wants.sizes.steps[:, wants.stock.size[taken.items]]
    narrow = int(np.flatnonzero((steps >= NEVER).any(axis=0))[0])
    misfit = int(np.flatnonzero(steps[wants.shoppers.build, narrow] >= NEVER)[0])
    newest = int(np.argmax(wants.shoppers.joined_ms))
    listed = int(wants.stock.listed_ms[item])
    planted = {
        "before it was listed": altered(market, sale, times_ms=listed - 1),
        "after it was sold": altered(market, sale + 1, items=item),
        "after it was withdrawn": altered(market, sale, times_ms=listed + 61 * DAY_MS),
        "bought twice": altered(market, sale + 1, items=item, event=purchase),
        "does not fit": altered(market, narrow, users=misfit),
        "before the user joined": altered(market, 0, users=newest),
        "out of order": altered(market, 5, times_ms=int(times[-1])),
        "outside the days": altered(market, 0, times_ms=market.options.start_ms - 1),
        "favourite twice": altered(
            market, -1, users=int(taken.users[marked]), items=int(taken.items[marked]), event=favourite
        ),
    }
    for name, wrong in planted.items():
        assert name in impossible(wrong), name
    assert impossible(altered(market, sale, items=item, event=purchase)) == []


def test_a_rush_sells_each_listing_once() -> None:
    """Few listings, many who would buy at once."""
    rush = make_market(SMALL.model_copy(update={"listings": 20, "purchases": 0.5}))
    assert rush.counts["purchases lost to a faster buyer"] > 0
    assert rush.counts["events of what had just been sold"] > 0
    assert rush.counts["visits that found nothing that fits"] > 0
    assert rush.counts["interactions fewer than asked for"] == 1_500 - len(rush.interactions) > 0
    assert impossible(rush) == []
    assert rush.counts["purchases"] == rush.truth.sold.sum()


def test_counts_and_rates_are_those_asked_for(market: Market) -> None:
    counts, options = market.counts, market.options
    assert len(market.interactions) == options.interactions
    assert counts["views"] + counts["favourites"] + counts["purchases"] == options.interactions
    assert counts["favourites"] / counts["views"] == pytest.approx(options.favourites, rel=0.25)
    assert counts["purchases"] / counts["views"] == pytest.approx(options.purchases, rel=0.25)
    assert counts["views"] / counts["visits"] == pytest.approx(options.views_a_visit, rel=0.1)
    weights = dict(zip(market.events.codes.tolist(), market.interactions.weights.tolist(), strict=True))
    assert {market.events.words[code]: weight for code, weight in weights.items()} == {
        "view": 1,
        "favourite": 2,
        "purchase": 4,
    }


def test_listings_gather_interest_of_several_before_they_go(market: Market) -> None:
    users = [set() for _ in market.items.ids]
    for user, item in zip(
        market.interactions.users.tolist(), market.interactions.items.tolist(), strict=True
    ):
        users[item].add(user)
    of_sold = np.array([len(users[item]) for item in np.flatnonzero(market.truth.sold)])
    assert np.mean(of_sold > 1) > 0.5


def recurring(market: Market) -> float:
    """Of the users with a favourite among 4 % of the listings, the share with two or more; all such samples pooled."""
    marked = market.events.codes == market.events.words.index("favourite")
    sample = np.random.default_rng(0).integers(25, size=len(market.items))[market.interactions.items[marked]]
    pairs = market.interactions.users[marked].astype(np.int64) * 25 + sample
    counts = np.unique(pairs, return_counts=True)[1]
    return float(np.mean(counts > 1))


def test_most_users_are_cold(market: Market) -> None:
    assert recurring(market) == pytest.approx(3_267 / 24_055, abs=0.03)
    even = make_market(market.options.model_copy(update={"activity_exponent": 5.0}))
    assert recurring(even) < 0.1
    seen = np.bincount(market.interactions.users, minlength=len(market.interactions.user_ids))
    assert np.mean(seen == 0) > 0.2
    top = np.sort(seen)[::-1]
    assert top[: len(top) // 100].sum() > 0.15 * seen.sum()


def test_the_same_options_make_the_same_market_whatever_the_block() -> None:
    whole, again, *others = (make_market(SMALL, block=block) for block in (None, None, 1, 13))
    for other in (again, *others):
        np.testing.assert_array_equal(whole.interactions.users, other.interactions.users)
        np.testing.assert_array_equal(whole.interactions.items, other.interactions.items)
        np.testing.assert_array_equal(whole.interactions.times_ms, other.interactions.times_ms)
        np.testing.assert_array_equal(whole.events.codes, other.events.codes)
        assert whole.items.texts["description"].tolist() == other.items.texts["description"].tolist()
        assert whole.counts == other.counts


def test_another_seed_makes_another_market() -> None:
    one, other = (make_market(SMALL.model_copy(update={"seed": seed})) for seed in (0, 1))
    assert not np.array_equal(one.interactions.items, other.interactions.items)
    assert one.items.texts["title"].tolist() != other.items.texts["title"].tolist()


def recall(market: Market, purchases: np.ndarray, score: str, k: int = 50) -> float:
    """How often what was bought is among the k listings then on sale that score highest for the buyer."""
    taken, truth = market.interactions, market.truth
    assert taken.times_ms is not None
    everything, hits = np.arange(len(market.items)), []
    strangers = np.random.default_rng(1).permutation(len(market.interactions.user_ids))
    for row in purchases.tolist():
        at_ms = taken.times_ms[row : row + 1] - 1  # when it was still there
        there = everything[truth.on_sale(everything, at_ms)]
        user = taken.users[row : row + 1]
        match score:
            case "popularity":
                scores = np.bincount(taken.items[:row], minlength=len(everything))[there] + 0.0
            case "stranger":
                scores = truth.utility(strangers[user], there[None], at_ms)[0]
            case _:
                scores = truth.utility(user, there[None], at_ms)[0]
        hits.append(taken.items[row] in there[np.argsort(-scores, kind="stable")[:k]])
    return float(np.mean(hits))


def test_who_knows_the_truth_recommends_far_better_than_popularity(market: Market) -> None:
    bought = np.flatnonzero(market.events.codes == market.events.words.index("purchase"))
    late = bought[len(bought) // 2 :][:150]
    oracle, popularity, stranger = (
        recall(market, late, score) for score in ("oracle", "popularity", "stranger")
    )
    assert oracle > 0.4
    assert oracle > 4 * popularity
    assert oracle > 4 * stranger


def test_probabilities_of_favourites_and_purchases_agree_with_what_happened(market: Market) -> None:
    """Views with a purchase by the same user within ten minutes, against the probability of each view."""
    taken, truth = market.interactions, market.truth
    assert taken.times_ms is not None
    viewed = market.events.codes == market.events.words.index("view")
    users, items, at_ms = taken.users[viewed], taken.items[viewed], taken.times_ms[viewed]
    for event, chance in (("favourite", truth.favourite), ("purchase", truth.purchase)):
        expected = chance(users, items[:, None], at_ms)[:, 0]
        happened = market.counts[f"{event}s"]
        assert happened == pytest.approx(expected.sum(), abs=4 * np.sqrt(expected.sum()) + 0.03 * happened)
    shown = np.tile(np.flatnonzero(truth.on_sale(np.arange(len(market.items)), at_ms[-1]))[:50], (3, 1))
    probabilities = truth.choice(users[-3:], shown, at_ms[-3:])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert np.all(truth.choice(users[-3:], shown, at_ms[-3:], nothing=5.0).sum(axis=1) < 1)


def test_what_is_on_sale_is_listed_and_not_gone(market: Market) -> None:
    truth = market.truth
    item = int(np.flatnonzero(truth.sold)[0])
    listed, gone = truth.wants.stock.listed_ms[item], truth.gone_ms[item]
    moments = np.array([listed - 1, listed, gone - 1, gone])
    assert truth.on_sale(np.array([item]), moments).tolist() == [False, True, True, False]


def test_it_says_that_it_is_simulated(market: Market) -> None:
    assert market.description.startswith("Simulated, not real")
    assert all(str(name).startswith("simulated-") for name in market.items.ids[:10])
    assert all(str(name).startswith("simulated-user-") for name in market.interactions.user_ids[:10])


def test_texts_name_what_the_columns_say(market: Market) -> None:
    items = market.items
    for row in range(50):
        told = {name: column[row : row + 1].decode()[0] for name, column in items.categories.items()}
        title, description = items.texts["title"][row], items.texts["description"][row]
        assert title.startswith(f"{told['brand']} ") and title.endswith(f", {told['colour']}, {told['size']}")
        assert not description or str(told["condition"]) in description
        assert "None" not in description and "None" not in title
    assert np.mean(items.texts["description"] == "") == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    "changes",
    [
        {"listings": 1, "users": 1, "interactions": 1},
        {"listings": 1, "users": 300},
        {"users": 1, "days": 1},
        {"candidates": 2, "latent": 2, "views_a_visit": 10.0},
        {"days_before": 0, "arriving_users": 1.0, "lifetime_days": 2},
        {"correlation": 0.0, "styles_a_user": 16, "refresh_hours": 1},
        {"correlation": 1.0, "views_a_visit": 1.0, "purchases": 0.5, "favourites": 0.5},
    ],
)
def test_extreme_markets_work(changes: dict[str, float]) -> None:
    asked = MarketplaceOptions.model_validate(SMALL.model_dump() | changes)
    market = make_market(asked)
    assert impossible(market) == []
    assert len(market.items) == asked.listings
    assert len(market.interactions) + market.counts["interactions fewer than asked for"] == asked.interactions


def test_utilities_of_any_weights_make_a_market() -> None:
    for weights in (
        dict.fromkeys(UtilityWeights.model_fields, 0.0),
        dict.fromkeys(UtilityWeights.model_fields, 100.0),
    ):
        asked = SMALL.model_copy(update={"utility": UtilityWeights(**weights | {"freshness_days": 1e-3})})
        assert impossible(make_market(asked)) == []


def test_a_market_that_memory_cannot_hold_is_refused_before_it_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = SimpleNamespace(available=2**18)
    monkeypatch.setattr("psutil.virtual_memory", lambda: room)
    with pytest.raises(
        ConfigurationError, match=r"marketplace: 400 listings.*needs .* of memory, 0\.2 MiB free; ask"
    ):
        make_market(SMALL)
    room.available = 2**30
    assert len(make_market(SMALL).items) == 400


def test_progress_counts_visits() -> None:
    told: list[tuple[float, float | None]] = []
    make_market(SMALL, progress=lambda _what, done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
