"""The simulated marketplace, put together: listings, interactions, and the truth behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import psutil
from scipy.special import expit

from harness.data.shipped.listings_manifest import Listings
from harness.data.stored.arrays import size
from harness.errors import ConfigurationError
from harness.progress import Progress, silent
from models.data.interactions import Interactions
from models.data.items import MISSING, Categories, Items
from models.data.marketplace.figures import CONDITION_SCORES, EVENT_WEIGHTS, GARMENTS, measured
from models.data.marketplace.history import EVENTS, FAVOURITE, PURCHASE, VIEW, History, as_history
from models.data.marketplace.options import MarketplaceOptions
from models.data.marketplace.shoppers import make_shoppers
from models.data.marketplace.sizes import Sizes, sizes_of
from models.data.marketplace.stock import DAY_MS, MATERIAL_WORDS, Stock, make_stock
from models.data.marketplace.utility import Utility, softmax
from models.data.marketplace.visits import Deciding, Play, decide, schedule
from models.data.marketplace.wording import objects, write_texts

Rows = npt.NDArray[np.integer]
Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MarketTruth:
    """What nobody can know of a real marketplace: how much each user wants each listing.

    Users and listings are rows of the market's `interactions.user_ids` and `items`. gone_ms: int64[n], when each
    listing was sold or withdrawn; sold: bool[n].
    """

    wants: Utility
    deciding: Deciding
    gone_ms: Times
    sold: npt.NDArray[np.bool_]

    def utility(self, users: Rows, listings: Rows, at_ms: Times) -> npt.NDArray[np.float32]:
        """float32[m, c], in logits; -inf where the size does not fit or the listing was not there yet.

        users: integer[m]. listings: integer[m, c], or [1, c] where all are asked about the same. at_ms: int64[m].
        Sold or not is not looked at, since another history sells others: see `on_sale` for what happened here.
        """
        return self.wants(users, listings, at_ms)

    def choice(self, users: Rows, listings: Rows, at_ms: Times, nothing: float = -np.inf) -> Floats:
        """The probability that a user who is shown these listings views each of them first, float64[m, c].

        nothing: the utility of viewing none. A listing shown twice in a row counts twice.
        """
        return softmax(self.utility(users, listings, at_ms), nothing)

    def favourite(self, users: Rows, listings: Rows, at_ms: Times) -> Floats:
        """The probability that a view becomes a favourite, float64[m, c]."""
        return np.asarray(
            expit(self.deciding.favourite + self.utility(users, listings, at_ms).astype(np.float64))
        )

    def purchase(self, users: Rows, listings: Rows, at_ms: Times) -> Floats:
        """The probability that a view becomes a purchase where nobody is faster, float64[m, c]."""
        return np.asarray(
            expit(self.deciding.purchase + self.utility(users, listings, at_ms).astype(np.float64))
        )

    def on_sale(self, listings: Rows, at_ms: Times) -> npt.NDArray[np.bool_]:
        """Whether each could be bought at the moment. The shapes of both are broadcast."""
        return np.asarray((self.wants.stock.listed_ms[listings] <= at_ms) & (at_ms < self.gone_ms[listings]))


@dataclass(frozen=True, slots=True)
class Market:
    """A simulated marketplace. Nothing in it is real.

    interactions: in the order of time; user_ids has those of users without any, too. events: beside it, what each is.
    counts: what there is and what was left out, by reason.
    """

    options: MarketplaceOptions
    items: Items
    interactions: Interactions
    events: Categories
    truth: MarketTruth
    counts: Mapping[str, int]

    @property
    def description(self) -> str:
        """In one sentence that says what it is."""
        there = self.counts
        return (
            f"Simulated, not real: a second-hand marketplace of {len(self.items):,} listings and "
            f"{self.options.users:,} users over {self.options.days:,} days, {there['views']:,} views, "
            f"{there['favourites']:,} favourites and {there['purchases']:,} purchases, seed {self.options.seed}."
        )


def make_market(
    options: MarketplaceOptions, *, progress: Progress = silent, block: int | None = None
) -> Market:
    """Simulates a marketplace. The content depends on the options alone.

    block: visits worked on at once, to bound the memory; None: a few megabytes. Progress counts visits. Raises
    ConfigurationError where memory does not hold it.
    """
    _require_room(options)
    spec = measured()
    sizes = sizes_of(spec.sizes)
    stock = make_stock(options, spec, sizes)
    shoppers = make_shoppers(options, spec, sizes, stock.styles)
    scores = np.array([CONDITION_SCORES[word] for word in spec.conditions], np.float32)
    charm = np.float32(options.utility.condition) * scores[stock.condition]
    charm += np.float32(options.utility.appeal) * stock.appeal
    wants = Utility(stock, shoppers, sizes, options.utility, charm)
    visits = schedule(options, shoppers.activity, shoppers.joined_ms)
    deciding = decide(options, wants, visits)
    play = Play(options, wants, visits, deciding)
    history = as_history(play.run(progress, block), len(stock), options.interactions)
    sold = history.sold_ms(len(stock))
    gone = np.where(sold >= 0, sold, stock.listed_ms + options.lifetime_days * DAY_MS)
    ids = objects([f"simulated-user-{number:07}" for number in range(1, options.users + 1)])
    weights = np.array([EVENT_WEIGHTS[event] for event in EVENTS], np.float32)[history.events]
    return Market(
        options,
        _items(options, spec, sizes, stock),
        Interactions(history.users, history.items, weights, ids, history.times_ms),
        Categories(history.events, EVENTS),
        MarketTruth(wants, deciding, gone, sold >= 0),
        _counted(options, history, play, len(visits)),
    )


def _require_room(options: MarketplaceOptions) -> None:
    """Bytes as measured at a million listings, most of them of texts and ids, plus those of the latents."""
    latents = 4 * options.latent * (options.listings + options.users)
    need = 700 * options.listings + 300 * options.users + 100 * options.interactions + 3 * latents
    free = psutil.virtual_memory().available
    if need > free:
        raise ConfigurationError(
            f"marketplace: {options.listings:,} listings, {options.users:,} users and {options.interactions:,} "
            f"interactions: needs {size(need)} of memory, {size(free)} free; ask for fewer"
        )


def _items(options: MarketplaceOptions, spec: Listings, sizes: Sizes, stock: Stock) -> Items:
    columns = {
        "category": _column([garment.category for garment in GARMENTS], stock.category),
        "brand": _column(stock.brands, stock.brand),
        "size": _column(sizes.words, stock.size),
        "condition": _column(list(spec.conditions), stock.condition),
        "colour": _column(list(spec.colours), stock.colour),
        "material": _column(MATERIAL_WORDS, stock.material),
    }
    return Items(
        objects([f"simulated-{number:07}" for number in range(1, len(stock) + 1)]),
        columns,
        {"price": stock.price},
        write_texts(options, stock.style, columns),
        stock.listed_ms,
    )


def _column(words: Sequence[str], codes: npt.NDArray[np.int32]) -> Categories:
    """Codes of `words`, which may repeat themselves, as a column of those words that occur."""
    used = np.unique(codes[codes != MISSING])
    vocabulary = sorted({words[code] for code in used.tolist()})
    places = np.full(len(words) + 1, MISSING, np.int32)  # the last one for MISSING
    places[used] = [vocabulary.index(words[code]) for code in used.tolist()]
    return Categories(places[codes], tuple(vocabulary))


def _counted(options: MarketplaceOptions, history: History, play: Play, visits: int) -> dict[str, int]:
    of = np.bincount(history.events, minlength=len(EVENTS)).tolist()
    return {
        "views": of[VIEW],
        "favourites": of[FAVOURITE],
        "purchases": of[PURCHASE],
        "users with interactions": len(np.unique(history.users)),
        "listings with interactions": len(np.unique(history.items)),
        "visits": visits,
        "visits that found nothing that fits": play.in_vain,
        "purchases lost to a faster buyer": play.too_late,
        "events of what had just been sold": history.after_sale,
        "repeated favourites": history.again,
        "interactions fewer than asked for": options.interactions - len(history),
    }
