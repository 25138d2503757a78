"""The play of the marketplace: who comes when, what they find, look at, mark and buy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit

from harness.progress import Progress
from models.data.marketplace.finding import Finder
from models.data.marketplace.options import MarketplaceOptions
from models.data.marketplace.stock import DAY_MS
from models.data.marketplace.utility import Utility

MOST_VIEWS = 10  # of a visit
_VISIT_MS = 3_600_000  # longer than any visit lasts
_AT_ONCE = 1 << 22  # numbers of latents that a block of visits gathers
_PILOT_MOMENTS, _PILOT = 8, 256
_MARGIN = 0.02  # more visits than are expected to be needed, as some find nothing

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Visits:
    """v visits in the order of time. users: int64[v]. times_ms: int64[v]. views: int64[v], at most, of each."""

    users: Ints
    times_ms: Ints
    views: Ints

    def __len__(self) -> int:
        return len(self.users)


@dataclass(frozen=True, slots=True)
class Views:
    """w views. users, listings: int32[w]. times_ms: int64[w]; favourite_ms, purchase_ms: likewise, -1 where there is
    none. A purchase is here only if nobody was faster.
    """

    users: npt.NDArray[np.int32]
    listings: npt.NDArray[np.int32]
    times_ms: Ints
    favourite_ms: Ints
    purchase_ms: Ints


@dataclass(frozen=True, slots=True)
class Deciding:
    """A viewed listing becomes a favourite with probability expit(favourite + utility); `purchase` likewise."""

    favourite: float
    purchase: float


def schedule(options: MarketplaceOptions, activity: Floats, joined_ms: Ints) -> Visits:
    """Visits enough for the interactions asked for: each user's spread evenly over the days since they joined."""
    chance = 1 / options.views_a_visit
    rows_a_visit = (1 - (1 - chance) ** MOST_VIEWS) / chance * (1 + options.favourites + options.purchases)
    needed = options.interactions / rows_a_visit
    count = int(np.ceil(needed * (1 + _MARGIN) + 4 * np.sqrt(needed)))
    end = options.start_ms + options.days * DAY_MS
    rng = options.stream("visits")
    expected = activity * (end - joined_ms)
    users = np.repeat(np.arange(len(activity)), rng.multinomial(count, expected / expected.sum()))
    times = joined_ms[users] + (rng.random(count) * (end - joined_ms[users])).astype(np.int64)
    order = np.argsort(times, kind="stable")
    views = np.minimum(options.stream("views").geometric(chance, count), MOST_VIEWS)
    return Visits(users[order], times[order], views)


def decide(options: MarketplaceOptions, utility: Utility, visits: Visits) -> Deciding:
    """How readily views become favourites and purchases, so that the rates asked for come out.

    By a pilot: visits drawn from the schedule, asked at a few moments of its days; sales are not looked at.
    """
    rng = options.stream("pilot")
    listed, finder = utility.stock.listed_ms, Finder(utility)
    seen = [np.zeros(1)]  # so that there is something to go by where nothing is found
    for moment in range(_PILOT_MOMENTS):
        at_ms = options.start_ms + (2 * moment + 1) * options.days * DAY_MS // (2 * _PILOT_MOMENTS)
        finder.refresh((listed <= at_ms) & (at_ms < listed + options.lifetime_days * DAY_MS))
        rows = rng.integers(len(visits), size=_PILOT)
        users = visits.users[rows]
        found = finder.find(users, rng.random((_PILOT, options.candidates)))
        values = worth(utility, users, found, np.full(_PILOT, at_ms))
        viewed, value = draw_views(found, values, visits.views[rows], rng)
        seen.append(value[viewed >= 0].astype(np.float64))
    pilot = np.concatenate(seen)
    return Deciding(_intercept(pilot, options.favourites), _intercept(pilot, options.purchases))


def _intercept(utilities: Floats, rate: float) -> float:
    width = 50 + float(np.abs(utilities).max())
    return float(brentq(lambda shift: expit(shift + utilities).mean() - rate, -width, width))


def worth(utility: Utility, users: Ints, found: Ints, at_ms: Ints) -> Float32:
    """Utilities of what was found, float32[v, c]; -inf for the same listing again and for none.

    found: int64[v, c], ascending in each row, -1 for none.
    """
    values = utility(users, found, at_ms)
    again = np.zeros(found.shape, np.bool_)
    again[:, 1:] = found[:, 1:] == found[:, :-1]
    values[again | (found < 0)] = -np.inf
    return values


def draw_views(found: Ints, values: Float32, views: Ints, rng: np.random.Generator) -> tuple[Ints, Float32]:
    """Draws the listings that are viewed, one after the other, each with the softmax of the utilities that are left.

    found: int64[v, c], candidates. values: float32[v, c], their utilities, -inf for never. views: int64[v], how many
    at most. Returns listings int64[v, w] in the order of viewing, -1 where there are no more, and their utilities. As
    Gumbel noise is minus the logarithm of an exponential number, c of those are read a row.
    """
    exponential = rng.standard_exponential(values.shape, dtype=np.float32)
    scores = values - np.log(np.maximum(exponential, np.float32(2.0**-25)))  # float32 has a zero now and then
    most = min(MOST_VIEWS, scores.shape[1])
    best = np.argpartition(scores, scores.shape[1] - most, axis=1)[:, -most:]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    value = np.take_along_axis(values, best, axis=1)
    none = np.isneginf(value) | (np.arange(most) >= views[:, None])
    return np.where(none, -1, np.take_along_axis(found, best, axis=1)), value


class Play:
    """The visits as they are played; its random numbers are read visit by visit from streams of their own."""

    def __init__(
        self, options: MarketplaceOptions, utility: Utility, visits: Visits, deciding: Deciding
    ) -> None:
        self.in_vain = 0  # visits that found nothing that fits
        self.too_late = 0  # purchases of what somebody else had just bought
        self._options, self._utility, self._visits, self._deciding = options, utility, visits, deciding
        self._finder = Finder(utility)
        names = ("candidates", "noise", "gaps", "favourite", "purchase", "favourite gap", "purchase gap")
        self._streams = {name: options.stream(f"visit {name}") for name in names}

    def run(self, progress: Progress, block: int | None = None) -> Iterator[Views]:
        """The views of all visits, in parts.

        Sold and withdrawn listings go every `refresh_hours`. In between, who is faster buys. block: visits worked on at
        once, which changes nothing but the memory needed.
        """
        options, times = self._options, self._visits.times_ms
        listed = self._utility.stock.listed_ms
        gone = listed + options.lifetime_days * DAY_MS
        tick = options.refresh_hours * 3_600_000
        block = block or max(1, _AT_ONCE // (options.candidates * options.latent))
        edges = np.arange(options.start_ms, options.start_ms + options.days * DAY_MS + tick, tick)
        bounds = np.searchsorted(times, edges).tolist()
        for begin, first, last in zip(edges[:-1], bounds[:-1], bounds[1:], strict=True):
            if first == last:
                continue
            # What will be withdrawn while the last visits are still going on is not shown any more; what is found
            # before it is listed has no worth yet.
            self._finder.refresh((listed < begin + tick) & (gone > begin + tick + _VISIT_MS))
            starts = range(first, last, block)
            seen = _joined([self._views(slice(start, min(start + block, last))) for start in starts])
            self._settle(seen, gone)
            progress("simulated visits", last, len(times))
            yield seen

    def _views(self, part: slice) -> Views:
        users, times = self._visits.users[part], self._visits.times_ms[part]
        rng = self._streams
        shape = (len(users), self._options.candidates)
        found = self._finder.find(users, rng["candidates"].random(shape))
        values = worth(self._utility, users, found, times)
        viewed, value = draw_views(found, values, self._visits.views[part], rng["noise"])
        self.in_vain += int((viewed < 0).all(axis=1).sum())
        gaps = rng["gaps"].integers(5_000, 120_000, (len(users), MOST_VIEWS))
        at = (times[:, None] + np.cumsum(gaps, axis=1) - gaps[:, :1])[:, : viewed.shape[1]]
        kept = viewed >= 0
        return Views(
            np.broadcast_to(users[:, None], kept.shape)[kept].astype(np.int32),
            viewed[kept].astype(np.int32),
            at[kept],
            self._moments("favourite", self._deciding.favourite, value, at, (1_000, 30_000))[kept],
            self._moments("purchase", self._deciding.purchase, value, at, (31_000, 600_000))[kept],
        )

    def _moments(
        self, event: str, readiness: float, value: Float32, at: Ints, within: tuple[int, int]
    ) -> Ints:
        """When viewed listings become favourites or purchases, -1 for never. within: milliseconds after the view."""
        shape = (len(at), MOST_VIEWS)
        keys = self._streams[event].random(shape)[:, : at.shape[1]]
        after = self._streams[f"{event} gap"].integers(*within, shape)[:, : at.shape[1]]
        return np.where(keys < expit(readiness + value), at + after, -1)

    def _settle(self, seen: Views, gone: Ints) -> None:
        """Of those who want to buy the same listing, the first gets it; the others' purchases are taken away."""
        wants = np.flatnonzero(seen.purchase_ms >= 0)
        wants = wants[np.argsort(seen.purchase_ms[wants], kind="stable")]
        _, first = np.unique(seen.listings[wants], return_index=True)
        late = np.ones(len(wants), np.bool_)
        late[first] = False
        seen.purchase_ms[wants[late]] = -1
        self.too_late += int(late.sum())
        bought = wants[~late]
        gone[seen.listings[bought]] = seen.purchase_ms[bought]


def _joined(parts: list[Views]) -> Views:
    return Views(*(np.concatenate([getattr(part, name) for part in parts]) for name in Views.__slots__))
