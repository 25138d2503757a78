"""How retrieval is set up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engines.base import Schema
from service.limits.breaker import BreakerOptions
from service.retrieval.values import Variant

_NUMBERS = ("integer", "float")


@dataclass(frozen=True, slots=True)
class RerankOptions:
    """How much each part counts, all relative to each other; a starting point, not the outcome of an experiment.

    price: the field that holds prices; without one their fit does not count.
    """

    affinity: float = 0.8
    freshness: float = 0.1
    price_fit: float = 0.1
    price: str | None = None


@dataclass(frozen=True, slots=True)
class RetrievalOptions:
    """oversample: how many times k candidates are asked for first; most: how many at most, where rules leave too few.

    exact_below: auto asks exactly where no more listings than this are thought to match. relax: the fields whose
    conditions may be widened, the least important first; conditions on others always hold. widen: by which share of
    its width a range is widened before it is dropped. a_seller, a_brand: hits of one at most; None: any number.
    popularity: the field by which fallback ranks; None: the newest first. share: the part of what is left of a deadline
    that the engine gets; the fallback has the rest. late_s: an engine that has not answered after this has failed,
    whatever was left of the deadline. threads: for engine calls; queue: how many calls may wait for one, no fewer than
    are admitted at once, or what is admitted would be answered by the fallback.
    """

    oversample: float = 2.0
    most: int = 2000
    exact_below: int = 3000
    relax: tuple[str, ...] = ()
    widen: float = 0.25
    a_seller: int | None = None
    a_brand: int | None = None
    popularity: str | None = None
    share: float = 0.7
    late_s: float = 0.1
    threads: int = 4
    queue: int = 256
    rerank: RerankOptions = RerankOptions()
    breaker: BreakerOptions = field(default_factory=BreakerOptions)
    variants: Mapping[str, Variant] = field(default_factory=lambda: {"default": Variant()})

    def problems(self, schema: Schema) -> list[str]:
        """What does not fit the schema, key by key; [] if all does."""
        known = ", ".join(one.name for one in schema.fields) or "none"
        lines = [
            f"relax: no field '{name}' (there are: {known})"
            for name in self.relax
            if schema.field(name) is None
        ]
        for key, name in (("popularity", self.popularity), ("rerank.price", self.rerank.price)):
            found = None if name is None else schema.field(name)
            if name is not None and (found is None or found.kind not in _NUMBERS):
                lines.append(f"{key}: '{name}' is no field of numbers (there are: {known})")
        if "default" not in self.variants:
            lines.append("variants: 'default' is missing, which serves requests that name none")
        return lines
