"""What is asked of retrieval, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from engines.base import Vectors
from engines.filters import Filter
from service.catalogue.listing import Listing

Mode = Literal["approximate", "exact", "auto"]
Rank = Literal["dense", "text", "fused"]


WordsOf = Literal["engine", "service"]
Fallback = Literal["", "late", "failed", "open", "busy", "unknown"]
ShortBecause = Literal["matches", "candidates", "deadline"]


class InvalidRequestError(ValueError):
    """A request that cannot be answered; `problems` names all that is wrong with it, and the remedies."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class UnknownListingError(LookupError):
    """The listing whose like is asked for is not there, or no longer; `id` names it."""

    def __init__(self, id_: str) -> None:
        self.id = id_
        super().__init__(f"there is no listing {id_!r}")


@dataclass(frozen=True, slots=True)
class Taken:
    """A listing that a user took. at_ms: when, in ms since 1970; None where it is not known."""

    id: str
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class User:
    """What is known of a user. history: distinct listings, oldest first. preferences: words by category, as the model
    calls them.
    """

    history: tuple[Taken, ...] = ()
    preferences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exclusions:
    """What must not come back, by the ids of listings; seller: the user's own, whose listings are theirs.

    itself: the listing whose like is asked for, which retrieval fills in.
    """

    seen: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()
    blocked_sellers: frozenset[str] = frozenset()
    seller: str | None = None
    itself: str | None = None

    @property
    def listings(self) -> int:
        """How many listings are named."""
        return len(self.seen) + len(self.own) + len(self.blocked) + (self.itself is not None)


NOTHING = Exclusions()


@dataclass(frozen=True, slots=True)
class Request:
    """The k best listings for a vector (float32[dim], as the index is asked), a listing by its id, a user or a text; of
    several the first of these is the vector that is asked with.

    rank: by vectors, by words of `text`, or by both fused. mode: auto searches exactly where few listings match. relax:
    whether a filter that leaves fewer than k may be widened; otherwise the answer is short. variant: the name of what
    serves the request. explain: whether each hit says how it came about, and the answer which listings each rule
    removed.
    """

    k: int
    vector: Vectors | None = None
    user: User | None = None
    like: str | None = None
    text: str = ""
    rank: Rank = "dense"
    where: Filter | None = None
    mode: Mode = "auto"
    relax: bool = True
    exclusions: Exclusions = NOTHING
    variant: str = "default"
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Variant:
    """What serves a request: an index, the model whose users it is asked with, a mode where the request names none
    (auto), and a re-ranker, each by its name.
    """

    index: str = "live"
    model: str = "live"
    mode: Mode = "auto"
    reranker: str = "weighted"


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A step by which the filter was widened. how: a range was widened, or conditions were dropped."""

    field: str
    how: Literal["widened", "dropped"]
    where: Filter | None  # the whole filter from then on


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ranking had a listing. rank: from 1; score: the ranking's own."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Explained:
    """How a hit came about. retrieved: its place by ranking (dense, text, fused, popular). reranked: what each part
    added to its score. rank: after re-ranking, before rules.
    """

    retrieved: Mapping[str, Place]
    reranked: Mapping[str, float]
    rank: int


class Hit(NamedTuple):
    """A listing as it is shown. score: by which it was ranked in the end, comparable within one step of an answer.

    beyond: the fields of the conditions asked for that it does not meet, none where the filter was not relaxed.
    """

    listing: Listing
    score: float
    beyond: tuple[str, ...] = ()
    explained: Explained | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """What a rule removed: how many, and where it is to be explained which, by their numbers."""

    count: int
    numbers: tuple[int, ...] = ()


class Took(NamedTuple):
    """A stage that is over. began_ns: by the clock of `time.perf_counter_ns`."""

    stage: str
    began_ns: int
    took_ns: int


def total_ms(stages: Iterable[Took]) -> dict[str, float]:
    """How long each stage took, all its runs together."""
    taken: dict[str, float] = {}
    for one in stages:
        taken[one.stage] = taken.get(one.stage, 0.0) + one.took_ns / 1e6
    return taken


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits, best first; those that meet the filter as it was asked come before those of each relaxation.

    mode: how the engine was asked. words: whose index ranked by words; None where none did. fallback: why popular
    listings were served instead, "" where they were not: retrieval was late, the index failed, is left alone after
    failures (open), its threads were busy, or nothing is known of the user; for a text that was not late, those that
    hold its words. short: why there are fewer than k: no more match and pass the rules, the rules left too few of the
    most candidates that are looked at, or there was no time to look further; None where there are k. unused: how many
    things of the request could not be used, by kind. stages: in the order in which they ended, of a fallback
    those of the attempt first; `engine` and `words` are parts of `retrieve`.
    """

    hits: tuple[Hit, ...]
    mode: Literal["approximate", "exact"]
    variant: str
    relaxed: tuple[Relaxation, ...] = ()
    words: WordsOf | None = None
    fallback: Fallback = ""
    short: ShortBecause | None = None
    removed: Mapping[str, Removed] = field(default_factory=dict)
    unused: Mapping[str, int] = field(default_factory=dict)
    stages: tuple[Took, ...] = ()

    @property
    def stages_ms(self) -> dict[str, float]:
        """How long each stage took, all its runs together."""
        return total_ms(self.stages)
